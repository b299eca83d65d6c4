"""Room 2: what is kept between runs, in SQLAlchemy Core. The only room that knows SQL."""
