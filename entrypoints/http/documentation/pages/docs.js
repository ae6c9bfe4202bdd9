"use strict";
// Shows the OpenAPI document with Swagger UI. No request goes to another server: there is no validator, and operations
// are sent to the origin of this page, whatever the public URL is. The Content-Security-Policy permits nothing else.

const place = document.getElementById("swagger-ui");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function followColorScheme() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

async function show() {
  const response = await fetch(document.getElementById("description").href);
  const description = await response.json();
  if (!response.ok) throw new Error(description.detail);
  SwaggerUIBundle({
    domNode: place,
    spec: { ...description, servers: [{ url: window.location.origin }] },
    deepLinking: true,
    filter: true,
    validatorUrl: null,
  });
}

dark.addEventListener("change", followColorScheme);
followColorScheme();
show().catch((error) => {
  place.textContent = `The OpenAPI document cannot be read: ${error.message}`;
});
