"""Room 4: an edition leaves the house. One file a backend; none of them decides what is sent, or whether."""
