// In the window a widget opened. The blank page waits to be sent on. The page after it waits for that widget to show its secret,
// shows it to the server, and goes on.
(() => {
  "use strict";
  const place = document.getElementById("handoff");
  const { opener: origin, action } = place.dataset;
  const stuck = () => {
    document.getElementById("waiting").hidden = true;
    document.getElementById("stuck").hidden = false;
  };
  let busy = false;
  // As long as WorkOS's widget keeps telling it: ten seconds, and a little for a slow page.
  const patience = setTimeout(stuck, 15000);
  if (action === undefined) return;
  addEventListener("message", async (event) => {
    // Both: the window that opened this one, and the origin the flow was begun from.
    if (busy || !window.opener || event.source !== window.opener || (origin && event.origin !== origin)) return;
    const { handoffToken, redirectToken } = event.data ?? {};
    if (typeof handoffToken !== "string" || typeof redirectToken !== "string") return;
    busy = true;
    clearTimeout(patience);
    try {
      const answer = await fetch(action, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ handoffToken }),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const { url } = await answer.json();
      event.source.postMessage({ redirectToken }, event.origin);
      location.replace(url);
    } catch {
      stuck();
    }
  });
})();
