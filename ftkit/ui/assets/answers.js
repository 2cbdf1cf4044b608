// Gradio's page fetches the answers to its events from one stream, which the server ends when all are given. An event that is
// sent while the end is on its way counts as one of the ending stream: nobody fetches its answer, and a click seems lost.
// So the end reaches the page only when no answer is outstanding; else the stream goes on with the next one of the server.
(() => {
  const ask = window.fetch, sending = new Set(), outstanding = new Set(), early = new Set();
  const encoder = new TextEncoder();

  const settle = (id) => outstanding.delete(id) || early.add(id);

  async function join(given) {
    const sent = ask(...given);
    const noted = sent.then((answer) => answer.clone().json()).then(({ event_id: id }) => {
      if (id && !early.delete(id)) outstanding.add(id);
    }).catch(() => {}).finally(() => sending.delete(noted));
    sending.add(noted);
    await noted;
    return sent;
  }

  async function listen(given) {
    const first = await ask(...given);
    if (!first.ok) return first;
    let reader = first.body.getReader(), decoder = new TextDecoder(), text = "";

    async function next() {
      await Promise.all(sending);
      if (!outstanding.size) return false;
      const further = await ask(...given);
      if (!further.ok) return false;
      reader = further.body.getReader();
      decoder = new TextDecoder();
      return true;
    }

    async function pull(page) {
      for (let given = false; !given;) {
        const { done, value } = await reader.read();
        if (done) return page.close();
        const parts = (text + decoder.decode(value, { stream: true })).split("\n\n");
        text = parts.pop();
        for (const part of parts) {
          const said = part.startsWith("data: ") ? JSON.parse(part.slice(6)) : {};
          if (said.msg === "process_completed") settle(said.event_id);
          if (said.msg === "close_stream" && await next()) break;
          page.enqueue(encoder.encode(part + "\n\n"));
          given = true;
        }
      }
    }

    const body = new ReadableStream({ pull, cancel: (reason) => reader.cancel(reason) });
    return new Response(body, { status: first.status, headers: first.headers });
  }

  window.fetch = (...given) => {
    const path = new URL(given[0].url ?? given[0], location.href).pathname;
    if (path.endsWith("/queue/join")) return join(given);
    return path.endsWith("/queue/data") ? listen(given) : ask(...given);
  };
})();
