// Requests. What the network loses is asked again, with longer and longer breaks and at once when the connection is back; a
// server that says no is believed.
const LONGEST_BREAK = 30;
const LONGEST_REQUEST = 20_000;
const DRAFT_AFTER = 600;

class Refusal extends Error {
  constructor(status, error) {
    super(error.text ?? say("rater.problem"));
    this.status = status;
    this.key = error.key ?? "";
  }
}

async function askOnce(method, path, body) {
  const response = await fetch(`/rate/api/${path}`, {
    method,
    body: body && JSON.stringify(body),
    headers: body ? { "content-type": "application/json" } : {},
    cache: "no-store",
    signal: AbortSignal.timeout(LONGEST_REQUEST),
  });
  if (response.ok) return response.json();
  if (response.status >= 500 || response.status === 429) throw new Error(String(response.status));
  const answer = await response.json().catch(() => ({}));
  throw new Refusal(response.status, answer.error ?? {});
}

// The answer, however long it takes. "body" may be a function that gives the newest.
async function ask(method, path, body) {
  for (let seconds = 1; ; seconds = Math.min(2 * seconds, LONGEST_BREAK)) {
    try {
      const answer = await askOnce(method, path, typeof body === "function" ? body() : body);
      connected(true);
      return answer;
    } catch (problem) {
      if (problem instanceof Refusal) {
        connected(true);
        throw problem;
      }
      connected(false);
      await untilOnline(seconds);
    }
  }
}

function untilOnline(seconds) {
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer);
      window.removeEventListener("online", go);
      byId("try-now").removeEventListener("click", go);
      resolve();
    };
    const timer = setTimeout(go, seconds * 1000);
    window.addEventListener("online", go);
    byId("try-now").addEventListener("click", go);
  });
}

function connected(yes) {
  if (byId("offline").hidden !== yes) byId("offline").hidden = yes;
}
window.addEventListener("offline", () => connected(false));
window.addEventListener("online", () => connected(true));

// The drafts of one task: each change is kept here at once and goes to the server a moment later, the newest only.
class Drafts {
  constructor(task, rater, number, refused) {
    Object.assign(this, { task, rater, number, refused, sent: number, values: null, running: null, timer: null });
  }

  get unsent() {
    return this.sent < this.number;
  }

  change(values) {
    this.values = values;
    // Two windows of one rater hardly ever take the same number, of which the server would believe the first one only.
    this.number += 1 + Math.floor(Math.random() * 1000);
    keep.put(this.task, { rater: this.rater, draft: { values, number: this.number } });
    byId("saved")?.replaceChildren();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), DRAFT_AFTER);
  }

  send() {
    clearTimeout(this.timer);
    if (this.unsent && !this.running) this.running = this.deliver().finally(() => (this.running = null));
    return this.running;
  }

  async deliver() {
    while (this.unsent && !this.ended) {
      let number = 0;
      try {
        const newest = () => ({ values: this.values, number: (number = this.number) });
        const answer = await ask("PUT", `task/${this.task}/draft`, newest);
        // Another window was ahead: what is written last counts.
        if (answer.number > number) this.number = Math.max(this.number, answer.number + 1);
        else this.sent = number;
      } catch (problem) {
        if (!(problem instanceof Refusal)) throw problem;
        if (this.ended) return;
        this.ended = true;
        this.refused(problem);
        return;
      }
    }
    if (this.ended) return;
    keep.drop(this.task);
    byId("saved")?.replaceChildren(say("rater.saved"));
  }

  // A submission takes its place.
  end() {
    clearTimeout(this.timer);
    this.ended = true;
  }
}
