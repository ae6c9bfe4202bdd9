"use strict";
// Draws /openapi.json as a page. Text reaches the page through textContent alone, never as HTML.

let spec;

const byId = (id) => document.getElementById(id);

function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (name === "class") element.className = value;
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// `code` in backticks and lists, which is all the markup that descriptions use.
function prose(text) {
  const box = make("div", {});
  for (const paragraph of (text || "").split("\n\n")) {
    const lines = paragraph.split("\n");
    const list = lines.every((line) => line.startsWith("- "));
    const target = box.appendChild(make(list ? "ul" : "p", {}));
    if (list) lines.forEach((line) => target.append(make("li", {}, ...inline(line.slice(2)))));
    else target.append(...inline(paragraph));
  }
  return box;
}

function inline(text) {
  return text.split("`").map((part, index) => (index % 2 ? make("code", { textContent: part }) : part));
}

function resolve(thing) {
  while (thing && thing.$ref) {
    thing = thing.$ref.slice(2).split("/").reduce((at, part) => at[part], spec);
  }
  return thing || {};
}

function nameOf(schema) {
  return schema && schema.$ref ? schema.$ref.split("/").pop() : null;
}

function typeOf(schema) {
  const name = nameOf(schema);
  if (name) return make("a", { href: `#schema-${name}`, textContent: name });
  if (schema.type === "array") return make("span", {}, "list of ", typeOf(schema.items || {}));
  const union = (schema.allOf || schema.anyOf || schema.oneOf || []).map(typeOf);
  if (union.length) return make("span", {}, ...union.flatMap((each, index) => (index ? [" or ", each] : [each])));
  const type = [].concat(schema.type || "any").join(" or ");
  return make("span", { textContent: schema.format ? `${type} (${schema.format})` : type });
}

function meaningOf(described, schema) {
  const rules = rulesOf(schema);
  return make("span", {}, ...inline([described.description, rules && `(${rules})`].filter(Boolean).join(" ")));
}

function rulesOf(schema) {
  const items = schema.items || {};
  const listed = schema.enum || (schema.type === "array" && !items.$ref ? items.enum : null);
  const rules = [];
  if (listed) rules.push(`one of ${listed.join(", ")}`);
  for (const [key, words] of [
    ["minLength", "# characters or more"], ["maxLength", "at most # characters"],
    ["minimum", "at least #"], ["maximum", "at most #"], ["pattern", "matches #"], ["default", "# if left out"],
  ]) {
    if (schema[key] !== undefined) rules.push(words.replace("#", String(schema[key])));
  }
  return rules.join("; ");
}

function table(heads, rows) {
  return make("table", {},
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { textContent: head })))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell))))));
}

function schemaTable(schema) {
  const resolved = resolve(schema);
  if (resolved.type === "array") return make("div", {}, make("p", {}, typeOf(resolved)));
  if (!resolved.properties) return make("p", {}, typeOf(schema));
  const required = new Set(resolved.required || []);
  return table(["Field", "Type", "Rules"], Object.entries(resolved.properties).map(([name, field]) => [
    make("span", {}, make("code", { textContent: name }),
      required.has(name) ? make("span", { class: "required", textContent: " required" }) : null),
    typeOf(field),
    meaningOf(field, field),
  ]));
}

function json(value) {
  return make("pre", { textContent: typeof value === "string" ? value : JSON.stringify(value, null, 2) });
}

function exampleOf(content) {
  return content.example !== undefined ? content.example : null;
}

function parametersOf(path, operation) {
  return [...(spec.paths[path].parameters || []), ...(operation.parameters || [])].map(resolve);
}

function drawParameters(path, operation) {
  const parameters = parametersOf(path, operation);
  if (!parameters.length) return null;
  return make("div", {}, make("h3", { textContent: "Parameters" }), table(
    ["Name", "In", "Type", "Meaning"],
    parameters.map((parameter) => [
      make("span", {}, make("code", { textContent: parameter.name }),
        parameter.required ? make("span", { class: "required", textContent: " required" }) : null),
      make("span", { textContent: parameter.in }),
      typeOf(parameter.schema || {}),
      meaningOf(parameter, parameter.schema || {}),
    ])));
}

function drawBody(operation) {
  if (!operation.requestBody) return null;
  const contents = Object.entries(operation.requestBody.content);
  return make("div", {}, make("h3", { textContent: "Body" }), ...contents.map(([type, content]) => make("div", {},
    make("p", {}, make("code", { textContent: type }), " ", typeOf(content.schema || {})),
    schemaTable(content.schema || {}),
    exampleOf(content) === null ? null : json(exampleOf(content)))));
}

function drawAnswer(status, response) {
  const answer = resolve(response);
  const headers = Object.keys(answer.headers || {});
  const contents = Object.entries(answer.content || {});
  // Problems are listed one to a line; their codes tell enough until the answer is opened.
  const lines = (answer.description || "").split("\n");
  const codes = lines.filter((line) => line.startsWith("- `")).map((line) => line.split(":")[0].slice(2));
  const title = lines[0].startsWith("- ") ? codes.join(", ") : lines[0];
  const body = make("div", {}, prose(answer.description));
  for (const [type, content] of contents) {
    body.append(make("p", {}, make("code", { textContent: type }), " ", typeOf(content.schema || {})));
    if (exampleOf(content) !== null) body.append(json(exampleOf(content)));
    for (const example of Object.values(content.examples || {})) {
      const shown = resolve(example);
      body.append(make("details", {}, make("summary", { textContent: shown.summary || "Example" }), json(shown.value)));
    }
  }
  if (headers.length) {
    body.append(make("p", {}, "Headers: ", ...headers.flatMap((name, index) =>
      [index ? ", " : "", make("code", { textContent: name })])));
  }
  return make("details", { class: "answer" },
    make("summary", {}, make("span", { class: Number(status) < 400 ? "ok" : "bad", textContent: status }), " ",
      make("span", {}, ...inline(title))),
    body);
}

function drawTry(method, path, operation) {
  const form = make("form", { class: "box" });
  const inputs = parametersOf(path, operation).map((parameter) => {
    const input = make("input", { name: parameter.name, autocomplete: "off", spellcheck: false });
    return { parameter, input };
  });
  const contents = Object.entries((operation.requestBody || {}).content || {});
  const isJson = contents.length && contents[0][0].includes("json");
  const body = isJson ? make("textarea", { spellcheck: false, ariaLabel: "Body" }) : null;
  if (body) body.value = JSON.stringify(exampleOf(contents[0][1]) ?? {}, null, 2);
  const result = make("div", {});
  form.append(
    make("div", { class: "row" }, ...inputs.map(({ parameter, input }) => make("label", {}, parameter.name, input))),
    ...(body ? [make("h3", { textContent: "Body" }), body] : []),
    make("div", { class: "row" }, make("button", { textContent: "Send" })),
    result);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const headers = new Headers();
    const query = new URLSearchParams();
    let target = path;
    for (const { parameter, input } of inputs) {
      const value = input.value.trim();
      if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(value));
      else if (value && parameter.in === "query") query.set(parameter.name, value);
      else if (value) headers.set(parameter.name, value);
    }
    if (byId("token").value && !(operation.security && operation.security.length === 0)) {
      headers.set("Authorization", `Bearer ${byId("token").value}`);
    }
    if (body) headers.set("Content-Type", contents[0][0]);
    const asked = String(query) ? `${target}?${query}` : target;
    result.replaceChildren("…");
    result.replaceChildren(...await send(method, asked, headers, body ? body.value : undefined));
  });
  return make("details", { class: "answer" }, make("summary", { textContent: "Try it" }), form);
}

async function send(method, target, headers, body) {
  try {
    const answer = await fetch(target, { method: method.toUpperCase(), headers, body, cache: "no-store", redirect: "manual" });
    const text = await answer.text();
    let shown = text;
    if ((answer.headers.get("Content-Type") || "").includes("json")) shown = JSON.stringify(JSON.parse(text), null, 2);
    const told = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    return [
      make("p", {}, make("span", { class: answer.ok ? "ok" : "bad", textContent: `${answer.status} ${answer.statusText}` })),
      json(told), ...(shown ? [json(shown)] : []),
    ];
  } catch (error) {
    return [make("p", { class: "bad", textContent: `No answer: ${error.message}` })];
  }
}

function drawOperation(method, path, operation) {
  const isPublic = operation.security && operation.security.length === 0;
  const drawn = make("details", { class: "operation", id: operation.operationId },
    make("summary", {},
      make("span", { class: `method ${method}`, textContent: method }),
      make("span", { class: "path", textContent: path }),
      isPublic ? make("span", { class: "tag", textContent: "no token" }) : null,
      make("span", { class: "what", textContent: operation.summary || "" })));
  // Drawn when it is opened: the page is there at once however many operations it has.
  drawn.addEventListener("toggle", () => {
    if (!drawn.open || drawn.children.length > 1) return;
    const parts = [
      prose(operation.description), drawParameters(path, operation), drawBody(operation),
      make("h3", { textContent: "Answers" }),
      ...Object.entries(operation.responses).map(([status, response]) => drawAnswer(status, response)),
      make("h3", { textContent: "Try it" }), drawTry(method, path, operation),
    ];
    drawn.append(make("div", {}, ...parts.filter(Boolean)));
  });
  return drawn;
}

function openNamed() {
  const named = byId(decodeURIComponent(location.hash.slice(1)));
  if (named && named.tagName === "DETAILS") named.open = true;
  if (named) named.scrollIntoView();
}

function draw() {
  byId("version").textContent = `API version ${spec.info.version}`;
  const operations = Object.entries(spec.paths).flatMap(([path, item]) =>
    Object.entries(item).filter(([method]) => method !== "parameters").map(([method, operation]) => ({ method, path, operation })));
  const main = byId("operations");
  main.replaceChildren();
  for (const tag of spec.tags) {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag.name));
    main.append(make("h2", { textContent: tag.name }), prose(tag.description));
    const links = make("div", {}, make("h2", { textContent: tag.name }));
    for (const { method, path, operation } of own) {
      main.append(drawOperation(method, path, operation));
      const words = `${method} ${path} ${operation.summary}`.toLowerCase();
      links.append(make("a", { href: `#${operation.operationId}`, title: path, "data-words": words },
        make("span", { class: `method ${method}`, textContent: method }), operation.summary));
    }
    byId("links").append(links);
  }
  byId("schemas").append(make("h2", { textContent: "Schemas" }), ...Object.entries(spec.components.schemas).map(
    ([name, schema]) => make("details", { class: "operation", id: `schema-${name}` },
      make("summary", {}, make("span", { class: "path", textContent: name })),
      make("div", {}, prose(schema.description), schemaTable(schema)))));
  byId("problems").append(make("h2", { textContent: "Problems" }), table(["Code", "Status", "Meaning"],
    Object.entries(spec.components.examples).map(([code, example]) => [
      make("a", { href: `/problems/${code}` }, make("code", { textContent: code })),
      make("span", { textContent: example.value.status }),
      make("span", {}, ...inline(`${example.summary}. ${example.value.detail}`)),
    ])));
  openNamed();
}

byId("filter").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/);
  for (const link of document.querySelectorAll("#links a")) {
    link.hidden = !words.every((word) => link.dataset.words.includes(word));
  }
});

byId("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const credentials = { email: form.email.value, password: form.password.value };
  const answer = await fetch("/v1/auth/login", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(credentials),
  });
  const told = await answer.json();
  if (answer.ok) {
    byId("token").value = told.access_token;
    form.password.value = "";
  }
  byId("login-result").textContent = answer.ok ? "Logged in." : told.detail;
});

window.addEventListener("hashchange", openNamed);

fetch("/openapi.json").then((answer) => answer.json()).then((document_) => {
  spec = document_;
  draw();
}).catch((error) => {
  byId("operations").replaceChildren(make("p", { class: "bad", textContent: `The document cannot be read: ${error.message}` }));
});
