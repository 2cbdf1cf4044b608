// Says once that the run of this page has ended, where somebody wants to be told: by a notification of the browser, or where the
// browser allows none, by the title of its tab. It reads what the page shows of the run and asks nobody; no request leaves.
(() => {
  const KEY = "ftkit-tell", said = {};
  let title = "";

  const find = (id) => document.getElementById(id);
  const allowed = () => "Notification" in window && Notification.permission === "granted";
  const wanted = () => { try { return JSON.parse(sessionStorage.getItem(KEY)) || []; } catch { return said.wanted || []; } };
  const want = (runs) => { said.wanted = runs; try { sessionStorage.setItem(KEY, JSON.stringify(runs)); } catch { /* kept above */ } };

  function note(name) {
    for (const one of find("run-tell-notes")?.querySelectorAll("[data-ft-case]") ?? []) one.hidden = one.dataset.ftCase !== name;
  }

  async function ask() {
    try { if ("Notification" in window && Notification.permission === "default") await Notification.requestPermission(); }
    catch { /* as if it were refused */ }
  }

  function tell(run, words) {
    try {
      if (allowed()) { new Notification("ftkit", { body: words, tag: run }); return; }
    } catch { /* some browsers have it and let no page use it: the title says it */ }
    title ||= document.title;
    document.title = words;
  }

  function look() {
    const mark = document.querySelector("[data-ft-run]");
    if (!mark) return;
    const { ftRun: run, ftEnded: ended } = mark.dataset;
    const runs = wanted(), on = runs.includes(run);
    if (ended && on) {
      want(runs.filter((one) => one !== run));
      tell(run, ended);
    } else if (!ended && title) {
      document.title = title;
      title = "";
    }
    const box = find("run-tell")?.querySelector("input");
    if (box) box.checked = on && !ended;
    note(on && !ended ? (allowed() ? "allowed" : "refused") : "");
  }

  document.addEventListener("change", async (event) => {
    if (!event.target.closest?.("#run-tell")) return;
    const on = event.target.checked, run = document.querySelector("[data-ft-run]")?.dataset.ftRun;
    if (!run) return;
    if (on) await ask();
    want(wanted().filter((one) => one !== run).concat(on ? [run] : []));
    look();
  });
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["data-ft-ended", "data-ft-run"] });
})();
