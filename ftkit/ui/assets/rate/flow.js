// What is on the page: which task, which state, what happens after each press.
const LOOK_AGAIN = 20_000;
const ICONS = { waiting: "…", finished: "✓", closed: "✓", not_open: "…", revoked: "×", wrong_link: "?", trouble: "!" };
const keep = new Keep();
const channel = "BroadcastChannel" in window ? new BroadcastChannel("ftkit-rate") : null;

class Flow {
  constructor() {
    this.view = this.form = this.drafts = this.clock = this.timer = null;
    this.sending = false;
    this.first = true;
    new Keys(() => this.form, { submit: (form) => this.submit(form), skip: (form) => this.skip(form) });
    byId("mine").addEventListener("click", () => this.mine());
    for (const close of document.querySelectorAll("dialog .close")) close.addEventListener("click", () => close.closest("dialog").close());
    channel?.addEventListener("message", ({ data }) => this.elsewhere(data));
    document.addEventListener("visibilitychange", () => this.drafts?.send());
    window.addEventListener("beforeunload", (event) => {
      if (this.sending || (keep.failed && this.drafts?.unsent)) event.preventDefault();
    });
  }

  async start() {
    await this.guarded(async () => {
      let view = await ask("GET", "task");
      const own = keep.own(view.rater);
      for (const [task, entry] of own) view = (await this.deliver(task, entry, view)) ?? view;
      this.show(view, own.some(([, entry]) => entry.submission) ? say("rater.delivered") : "");
    });
  }

  // What an earlier visit could not send. A draft of the task that comes next stays with it.
  async deliver(task, entry, view) {
    try {
      if (entry.submission) {
        const { id, values, seconds } = entry.submission;
        const answer = await ask("POST", `task/${task}/rating`, { submission: id, values, seconds });
        this.settled(task);
        return answer.next;
      }
      if (view.task?.id !== task) await ask("PUT", `task/${task}/draft`, entry.draft);
      else if (entry.draft.number > view.task.draft_number) Object.assign(view.task, { draft: entry.draft.values, unsent: entry.draft.number });
      else keep.remove(task);
      if (view.task?.id !== task) keep.remove(task);
    } catch (problem) {
      if (!(problem instanceof Refusal) || problem.status === 403) throw problem;
      this.settled(task);
    }
    return null;
  }

  // Nothing of the task stays in the browser.
  settled(task) {
    keep.remove(task);
    sessionStorage.removeItem(PREFIX + task);
    channel?.postMessage(task);
  }

  // Runs a step; a refusal becomes the page that it means.
  async guarded(step) {
    try {
      return await step();
    } catch (problem) {
      if (!(problem instanceof Refusal)) throw problem;
      this.refused(problem);
    }
  }

  refused(problem) {
    if ([401, 403].includes(problem.status)) {
      const revoked = problem.key === "raters.revoked";
      if (revoked) keep.clear();
      this.leave();
      this.message(revoked ? "revoked" : "wrong_link");
      return;
    }
    const gone = [404, 409].includes(problem.status);
    if (this.form && !gone) {
      this.unfreeze();
      this.form.complain(problem.message);
    } else if (this.form) {
      // Taken over by somebody else, closed, gone: said in words, then on.
      this.settled(this.view.task.id);
      this.leave();
      this.look(problem.message, "warn");
    } else this.message("trouble");
  }

  leave() {
    clearTimeout(this.timer);
    this.drafts?.end();
    this.clock?.stop();
    this.form = this.drafts = this.clock = null;
    this.sending = false;
  }

  show(view, message = "", { earlier = null, kind = "good" } = {}) {
    const still = !this.form && !message && view.state !== "task" && view.state === this.view?.state;
    this.leave();
    this.view = view;
    this.frame(view);
    if (view.state === "task") this.task(view, earlier);
    else this.message(view.state);
    announce(message, kind);
    if (!this.first && !still) this.arrive();
    this.first = false;
  }

  arrive() {
    window.scrollTo(0, 0);
    byId("heading").focus({ preventScroll: true });
  }

  frame({ study, progress, task }) {
    byId("title").textContent = document.title = study.title || say("rater.title");
    byId("progress").textContent = say("rater.progress", { rated: progress.rated, left: progress.may_become - progress.rated });
    byId("bar").max = Math.max(1, progress.may_become);
    byId("bar").value = progress.rated;
    byId("mine").hidden = !progress.rated;
    byId("top").hidden = false;
    const guidelines = byId("guidelines");
    guidelines.hidden = !study.guidelines;
    byId("guidelines-text").textContent = study.guidelines;
    // The first time open; after the first rating it is known.
    if (this.first) guidelines.open = !progress.rated && !task?.draft;
    else if (progress.rated === 1) guidelines.open = false;
  }

  task({ study, task, progress, rater }, earlier) {
    const values = task.draft ?? task.rating ?? {};
    this.drafts = new Drafts(task.id, rater, task.draft_number ?? 0, (problem) => this.refused(problem));
    this.clock = new Clock(task.id);
    this.form = new TaskForm(study, task, values, {
      earlier,
      changed: (form) => this.changed(form),
      submitted: (form) => this.submit(form),
      skipped: (form) => this.skip(form),
    });
    const heading = make("h2", { id: "heading", tabindex: "-1" },
      earlier ? say("rater.earlier", { n: earlier.place }) : say("rater.task", { n: progress.rated + 1 }));
    const back = earlier && make("p", { class: "earlier" }, say("rater.earlier.note", { revision: earlier.revision }), " ",
      make("button", { type: "button", class: "quiet", onclick: () => this.look() }, say("rater.earlier.back")));
    byId("content").replaceChildren(heading, back || "", this.form.node);
    if (task.unsent) {
      this.drafts.number = task.unsent;
      this.drafts.change(this.form.values());
    }
  }

  changed(form) {
    if (this.sending) return;
    form.complain("");
    for (const row of form.rows) if (form.chosen(row)) row.node.classList.remove("open");
    this.drafts.change(form.values());
  }

  look(message = "", kind = "good") {
    return this.guarded(async () => this.show(await ask("GET", "task"), message, { kind }));
  }

  message(state) {
    const again = ["waiting", "not_open", "trouble"].includes(state);
    byId("content").replaceChildren(make("section", { class: "message", "data-state": state },
      make("span", { class: "icon", "aria-hidden": "true" }, ICONS[state]),
      make("h2", { id: "heading", tabindex: "-1" }, say(`rater.${state}.title`)),
      make("p", {}, say(`rater.${state}.text`)),
      again && make("button", { type: "button", class: "primary", onclick: () => this.look() }, say("rater.look"))));
    if (again) this.timer = setTimeout(() => this.look(), LOOK_AGAIN);
    if (state === "revoked" || state === "wrong_link") byId("mine").hidden = byId("guidelines").hidden = true;
  }

  // One press, one submission: its id stays the same however often it has to be sent.
  async submit(form) {
    if (this.sending || form.missing()) return;
    const { task, rater } = this.view;
    const submission = { id: newId(), values: form.values(), seconds: Number(this.clock.seconds().toFixed(1)) };
    this.freeze(form, "rater.sending");
    this.drafts.end();
    keep.put(task.id, { rater, submission });
    await this.guarded(async () => {
      await this.drafts.running; // an older draft must not arrive after it
      const body = { submission: submission.id, values: submission.values, seconds: submission.seconds };
      const answer = await ask("POST", `task/${task.id}/rating`, body);
      this.settled(task.id);
      this.show(answer.next, say(form.earlier ? "rater.changed" : "rater.done"));
    });
  }

  async skip(form) {
    if (this.sending) return;
    const { task } = this.view;
    this.freeze(form, "rater.skipping");
    this.drafts.end();
    await this.guarded(async () => {
      await this.drafts.running;
      const answer = await ask("POST", `task/${task.id}/skip`);
      this.settled(task.id);
      this.show(answer.next, say("rater.skipped"));
    });
  }

  freeze(form, words) {
    this.sending = true;
    form.complain("");
    form.freeze(true);
    announce(say(words));
  }

  // The answer was refused as it is: it can be mended and sent again.
  unfreeze() {
    const { task, rater } = this.view;
    this.sending = false;
    this.form.freeze(false);
    announce("");
    const number = this.drafts.number;
    this.drafts = new Drafts(task.id, rater, number, (problem) => this.refused(problem));
    keep.remove(task.id);
  }

  // Another window of this rater is done with a task that may stand here too.
  elsewhere(task) {
    if (this.view?.task?.id === task && !this.sending && this.form) this.look(say("rater.elsewhere"));
  }

  async mine() {
    await this.guarded(async () => {
      const { rated } = await ask("GET", "tasks");
      const when = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
      const items = rated.map((one, i) => make("li", {}, make("button", { type: "button", onclick: () => this.open(one, rated.length - i) },
        make("span", { class: "number" }, `${rated.length - i}`), make("span", { class: "beginning", dir: "auto" }, one.beginning),
        make("span", { class: "when" }, when.format(new Date(one.changed_at))))));
      byId("mine-list").replaceChildren(...items);
      byId("mine-dialog").showModal();
    });
  }

  async open(one, place) {
    byId("mine-dialog").close();
    await this.drafts?.send();
    await this.guarded(async () => {
      const view = await ask("GET", `task/${one.id}`);
      this.show(view, "", { earlier: { place, revision: one.revision } });
    });
  }
}

new Flow().start();
