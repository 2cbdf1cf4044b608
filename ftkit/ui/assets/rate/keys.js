// Single keys. None works while something is being typed, except Ctrl+Enter; whoever speaks to their computer turns them off.
const KEYS_COOKIE = "ftkit_rate_keys";

class Keys {
  constructor(form, { submit, skip }) {
    Object.assign(this, { form, submit, skip });
    byId("keys-on").checked = !document.cookie.includes(`${KEYS_COOKIE}=off`);
    byId("keys-on").addEventListener("change", (event) => {
      const value = event.target.checked ? "on" : "off";
      document.cookie = `${KEYS_COOKIE}=${value}; path=/rate; max-age=31536000; samesite=lax`;
    });
    document.addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    const target = event.target;
    if (event.isComposing || event.repeat || document.querySelector("dialog[open]")) return;
    const form = this.form();
    if (!form || form.body.disabled) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.take(event, () => this.submit(form));
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches?.("textarea, input[type=text]")) return;
    if (event.key === "Enter") {
      if (!target.closest?.("button, a, summary")) this.take(event, () => this.submit(form));
    } else if (byId("keys-on").checked) this.single(event, form);
  }

  single(event, form) {
    if (event.key === "?") this.take(event, () => byId("keys").showModal());
    else if (event.key.toLowerCase() === "s" && form.skip) this.take(event, () => this.skipping(form));
    else if (event.key.length === 1 && form.choose(event.key)) event.preventDefault();
  }

  // A key is pressed more easily by mistake than a button: what was entered is not dropped at once.
  skipping(form) {
    if (form.touched && document.activeElement !== form.skip) {
      form.skip.focus();
      form.complain(say("rater.skip.sure"));
    } else this.skip(form);
  }

  take(event, act) {
    event.preventDefault();
    act();
  }
}
