// What the server has not acknowledged yet, in this browser, by task: {rater, draft: {values, number}, submission: {id, values,
// seconds}}. An entry goes at its acknowledgement, so that nothing stays on a machine that several people use.
const PREFIX = "ftkit-rate:";
const LONGEST_KEPT = 7 * 24 * 3600 * 1000;

class Keep {
  constructor() {
    this.failed = false; // storage is full or forbidden: then leaving the page could lose something
    this.stamps = new Map(); // task → the mark of what this window wrote, another window's entry is not ours to remove
  }

  put(task, entry) {
    const stamp = newId();
    this.stamps.set(task, stamp);
    try {
      localStorage.setItem(PREFIX + task, JSON.stringify({ ...entry, stamp, at: Date.now() }));
      this.failed = false;
    } catch {
      this.failed = true;
    }
  }

  get(task) {
    try {
      return JSON.parse(localStorage.getItem(PREFIX + task));
    } catch {
      return null;
    }
  }

  drop(task) {
    const stamp = this.stamps.get(task);
    this.stamps.delete(task);
    if (!stamp || this.get(task)?.stamp === stamp) this.remove(task);
  }

  remove(task) {
    try {
      localStorage.removeItem(PREFIX + task);
    } catch {
      // where nothing can be stored, nothing has to be removed
    }
  }

  // Entries of this rater; what somebody else left on this machine waits for their link, a week at most.
  own(rater) {
    const found = [];
    for (const name of this.names()) {
      const task = name.slice(PREFIX.length);
      const entry = this.get(task);
      if (!entry || Date.now() - entry.at > LONGEST_KEPT) this.remove(task);
      else if (entry.rater === rater) found.push([task, entry]);
    }
    return found;
  }

  names() {
    try {
      return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
    } catch {
      return [];
    }
  }

  // The owner has withdrawn the link: nothing of the study stays here.
  clear() {
    for (const name of this.names()) this.remove(name.slice(PREFIX.length));
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
  }
}

// Seconds that a task was in front of somebody's eyes; they live through a look at another task, and through a reload.
class Clock {
  static sums = new Map();

  constructor(task) {
    this.task = task;
    this.name = PREFIX + task;
    this.sum = Clock.sums.get(task) ?? (Number(sessionStorage.getItem(this.name)) || 0);
    this.since = document.hidden ? null : performance.now();
    this.turn = () => {
      this.sum = this.seconds();
      this.since = document.hidden ? null : performance.now();
      sessionStorage.setItem(this.name, this.sum.toFixed(1));
    };
    document.addEventListener("visibilitychange", this.turn);
    window.addEventListener("pagehide", this.turn);
  }

  seconds() {
    return this.sum + (this.since == null ? 0 : (performance.now() - this.since) / 1000);
  }

  stop() {
    document.removeEventListener("visibilitychange", this.turn);
    window.removeEventListener("pagehide", this.turn);
    Clock.sums.set(this.task, this.seconds());
    sessionStorage.removeItem(this.name);
  }
}
