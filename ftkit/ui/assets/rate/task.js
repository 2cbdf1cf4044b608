// One task as a form: what was asked, the answers, the question of the protocol. Takes a task and the values so far, gives a
// form with values(), missing(), choose(). It sends nothing.
const RESERVED = { tie: "=", both_bad: "X" };

// A line of the form where one of several options is chosen. "put" writes the chosen value into the values.
function rowsOf(study, answers) {
  const each = answers.map((_, place) => place);
  const named = (place) => say("rater.answer", { letter: letter(place) });
  if (study.protocol === "pairs") {
    const options = each.map((place) => ({ value: place, text: say("rater.better", { letter: letter(place) }), key: letter(place) }));
    for (const value of ["tie", "both_bad"]) options.push({ value, text: say(`rater.${value}`), key: RESERVED[value] });
    return [{ place: null, legend: say("rater.question.pairs"), options, read: (v) => v.choice, put: (v, x) => (v.choice = x) }];
  }
  const marks = (count, text) => Array.from({ length: count }, (_, i) => ({ value: i + 1, text: text(i + 1), key: String((i + 1) % 10) }));
  if (study.protocol === "scales")
    return each.flatMap((place) => study.criteria.map((criterion) => ({
      place, legend: `${named(place)} · ${criterion}`, short: criterion, options: marks(study.points, String), scale: true,
      read: (v) => v.scores?.[place]?.[criterion],
      put: (v, x) => { if (x != null) v.scores[place][criterion] = x; },
    })));
  if (study.protocol === "ranking")
    return each.map((place) => ({
      place, legend: `${named(place)} · ${say("rater.rank")}`, short: say("rater.rank"),
      options: marks(answers.length, (n) => say("rater.place", { n })),
      read: (v) => v.ranks?.[place], put: (v, x) => (v.ranks[place] = x ?? null),
    }));
  return each.map((place) => ({
    place, legend: `${named(place)} · ${say("rater.question.pass_fail")}`, short: say("rater.question.pass_fail"),
    options: [{ value: true, text: say("rater.pass"), key: "1" }, { value: false, text: say("rater.fail"), key: "2" }],
    read: (v) => v.passed?.[place], put: (v, x) => (v.passed[place] = x ?? null),
  }));
}

function emptyValues(study, answers) {
  if (study.protocol === "scales") return { scores: answers.map(() => ({})) };
  if (study.protocol === "ranking") return { ranks: answers.map(() => null) };
  if (study.protocol === "pass_fail") return { passed: answers.map(() => null) };
  return {};
}

class TaskForm {
  constructor(study, task, values, { changed, submitted, skipped, earlier }) {
    Object.assign(this, { study, task, earlier });
    this.rows = rowsOf(study, task.answers);
    this.node = make("form", { class: "task", novalidate: true, oninput: () => changed(this), onsubmit: (event) => {
      event.preventDefault();
      submitted(this);
    } });
    this.body = make("fieldset", { class: "whole" }, make("legend", { class: "hidden" }, say("rater.form")));
    this.body.append(this.prompt(), this.reference() ?? "", this.answers(values), ...this.question(values));
    this.body.append(this.remarks(values), this.actions(skipped));
    this.node.append(this.body);
  }

  prompt() {
    const turns = this.task.prompt.map(({ role, content }) => make("div", { class: "turn", "data-role": role },
      make("span", { class: "who" }, say(["system", "assistant"].includes(role) ? `rater.role.${role}` : "rater.role.user")),
      make("p", { class: "said", dir: "auto" }, content)));
    return make("section", { class: "prompt", "aria-labelledby": "prompt-title" },
      make("h3", { id: "prompt-title" }, say("rater.prompt")), ...turns);
  }

  reference() {
    return this.task.reference ? make("details", { class: "reference", open: true }, make("summary", {}, say("rater.reference")),
      make("p", { class: "said", dir: "auto" }, this.task.reference)) : null;
  }

  answers(values) {
    const hint = this.study.protocol === "ranking" ? make("p", { class: "hint" }, say("rater.ranking.hint")) : null;
    const cards = this.task.answers.map((text, place) => make("article", { class: "answer", "aria-labelledby": `answer-${place}` },
      make("h3", { id: `answer-${place}` }, say("rater.answer", { letter: letter(place) })),
      text.trim() ? make("p", { class: "said", dir: "auto" }, text) : make("p", { class: "said nothing" }, say("rater.nothing")),
      this.study.editing ? this.better(text, place, values.edits?.[place]) : null,
      ...this.rows.filter((row) => row.place === place).map((row) => this.row(row, values))));
    return make("div", {}, hint, make("div", { class: "answers", "data-count": cards.length }, ...cards));
  }

  question(values) {
    return this.rows.filter((row) => row.place == null).map((row) => this.row(row, values));
  }

  row(row, values) {
    const name = `row-${this.rows.indexOf(row)}`;
    const now = row.read(values);
    row.inputs = row.options.map((option, i) => {
      const input = make("input", { type: "radio", name, value: i, id: `${name}-${i}` });
      input.checked = option.value === now;
      return input;
    });
    const choices = row.options.map((option, i) => make("label", { for: `${name}-${i}` }, row.inputs[i],
      make("span", {}, option.text), row.scale || row.place != null ? null : key(option.key)));
    row.node = make("fieldset", { class: row.place == null ? "row choice" : row.scale ? "row scale" : "row" },
      make("legend", {}, row.place == null ? row.legend : make("span", { class: "hidden" }, row.legend)),
      row.short ? make("span", { class: "short", "aria-hidden": "true" }, row.short) : null,
      make("div", { class: "options", style: `--half: ${Math.ceil(choices.length / 2)}` }, ...choices),
      row.scale ? make("div", { class: "ends" }, make("span", {}, say("rater.lowest")), make("span", {}, say("rater.highest", { n: this.study.points }))) : null);
    return row.node;
  }

  better(text, place, edit) {
    const area = make("textarea", { id: `edit-${place}`, rows: Math.min(14, 3 + Math.ceil(text.length / 60)), dir: "auto", maxlength: 20000 });
    area.value = edit ?? text;
    const back = make("button", { type: "button", class: "quiet", onclick: () => {
      area.value = text;
      area.dispatchEvent(new Event("input", { bubbles: true }));
      area.focus();
    } }, say("rater.edit.undo"));
    return make("details", { class: "better", open: edit != null }, make("summary", {}, say("rater.edit")),
      make("label", { for: `edit-${place}` }, say("rater.edit.label", { letter: letter(place) })), area, back);
  }

  remarks(values) {
    this.comment = make("textarea", { id: "comment", rows: 3, maxlength: 20000 });
    this.comment.value = values.comment ?? "";
    this.flag = make("input", { type: "checkbox", id: "flag" });
    this.flag.checked = Boolean(values.flag);
    return make("div", { class: "remarks" },
      make("details", { class: "comment", open: Boolean(values.comment) }, make("summary", {}, say("rater.comment")),
        make("label", { for: "comment", class: "hidden" }, say("rater.comment")), this.comment),
      make("label", { class: "flag", for: "flag" }, this.flag, make("span", {}, say("rater.flag"))));
  }

  actions(skipped) {
    this.problem = make("p", { class: "problem", role: "alert", hidden: true });
    this.skip = this.earlier ? null : make("button", { type: "button", id: "skip", onclick: () => skipped(this) }, say("rater.skip"), key("S"));
    return make("div", { class: "actions" }, this.problem,
      make("button", { type: "submit", id: "submit", class: "primary" }, say(this.earlier ? "rater.change" : "rater.submit"), key("⏎")),
      this.skip, make("span", { id: "saved", class: "hint" }),
      make("button", { type: "button", class: "quiet keys", onclick: () => byId("keys").showModal() }, say("rater.keys"), key("?")));
  }

  values() {
    const values = emptyValues(this.study, this.task.answers);
    for (const row of this.rows) row.put(values, this.chosen(row)?.value);
    const comment = this.comment.value.trim();
    if (comment) values.comment = comment;
    if (this.flag.checked) values.flag = true;
    const edits = {};
    this.task.answers.forEach((text, place) => {
      const area = this.node.querySelector(`#edit-${place}`);
      if (area && area.value.trim() && area.value !== text) edits[place] = area.value;
    });
    if (Object.keys(edits).length) values.edits = edits;
    return JSON.parse(JSON.stringify(values)); // without what is not chosen yet
  }

  chosen(row) {
    return row.options[row.inputs.findIndex((input) => input.checked)];
  }

  // Whether anything was entered.
  get touched() {
    const values = this.values();
    return Boolean(this.rows.some((row) => this.chosen(row)) || values.comment || values.flag || values.edits);
  }

  // The first line without a choice is pointed at; false when nothing is missing.
  missing() {
    const open = this.rows.filter((row) => !this.chosen(row));
    this.rows.forEach((row) => row.node.classList.toggle("open", open.includes(row)));
    const best = this.study.protocol !== "ranking" || this.rows.some((row) => this.chosen(row)?.value === 1);
    if (!open.length && best) return false;
    this.complain(open.length ? say("rater.missing", { rows: open.map((row) => row.legend).join("; ") }) : say("rater.missing.best"));
    (open[0] ?? this.rows[0]).inputs[0].focus();
    return true;
  }

  complain(text) {
    this.problem.textContent = text;
    this.problem.hidden = !text;
  }

  // A key that stands for an option: of the line where the focus is, else of the first one without a choice. Then on.
  choose(name) {
    const here = this.rows.find((row) => row.node.contains(document.activeElement));
    const row = here ?? this.rows.find((one) => !this.chosen(one)) ?? this.rows[0];
    let at = row.options.findIndex((option) => option.key.toLowerCase() === name.toLowerCase());
    if (at < 0 && row.place == null) at = /^[1-9]$/.test(name) ? Number(name) - 1 : -1;
    if (!row.inputs[at]) return false;
    row.inputs[at].checked = true;
    row.inputs[at].focus();
    row.inputs[at].dispatchEvent(new Event("input", { bubbles: true }));
    this.rows[this.rows.indexOf(row) + 1]?.inputs[0].focus();
    return true;
  }

  freeze(yes) {
    this.body.disabled = yes;
    this.node.setAttribute("aria-busy", String(yes));
  }
}
