// Copies what a button holds in data-ft-copy, and says so on the button. It asks nobody; no request leaves.
(() => {
  async function copy(text) {
    try { await navigator.clipboard.writeText(text); return true; } catch { /* no secure address: the old way */ }
    const field = Object.assign(document.createElement("textarea"), { value: text });
    field.style.cssText = "position:fixed;opacity:0";
    document.body.append(field);
    field.select();
    try { return document.execCommand("copy"); } catch { return false; } finally { field.remove(); }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-ft-copy]");
    if (!button) return;
    if (await copy(button.dataset.ftCopy)) button.textContent = button.dataset.ftCopied;
    else getSelection().selectAllChildren(button.previousElementSibling);
    button.focus();
  });
})();
