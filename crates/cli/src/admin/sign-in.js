// Exchanges the code behind the # for a session. What stands behind the # is not sent with a request; it
// is taken out of the address bar at once, and where a browser remembers it all the same, it is spent.
"use strict";

const code = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

fetch("api/v1/session", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ code }),
}).then(
  (answer) => {
    if (answer.ok) location.replace("./");
    else document.getElementById("failed").hidden = false;
  },
  () => {
    document.getElementById("failed").hidden = false;
  },
);
