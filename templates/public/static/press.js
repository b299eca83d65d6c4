// Tells a person's press from a script that sends the form: only browsers make trusted events. Where this does not run,
// the page asks for the code of the mail instead.
document.documentElement.classList.add("scripted");
document.addEventListener("click", (event) => {
  const button = event.target.closest ? event.target.closest("button[data-press]") : null;
  if (button && event.isTrusted) {
    // A press of Enter or Space, also by a screen reader, is a click without a pointer.
    button.form.elements.pressed.value = event.detail ? "pointer" : "key";
  }
}, true);
