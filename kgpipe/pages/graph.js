"use strict";
// The page of `kgpipe export --format html`. `data` stands in the page as JSON; every text of it is set as text.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const types = new Map(data.types.map((t) => [t.name, t]));
const label = (relation) => data.relations[relation] || relation;
const colour = (node) => (types.get(node.type) || { colour: "#dddddd" }).colour;
const hidden = new Set();
const nodes = data.nodes.map((n, index) => ({ ...n, id: index, facts: [] }));
const byUid = new Map(nodes.map((n) => [n.uid, n]));
const facts = data.facts.map((f, index) => ({ ...f, id: index, source: f.s, target: f.o }));
const between = new Map();
for (const fact of facts) {
  nodes[fact.s].facts.push(fact);
  if (fact.o !== fact.s) nodes[fact.o].facts.push(fact);
  const key = [Math.min(fact.s, fact.o), Math.max(fact.s, fact.o)].join();
  between.set(key, [...(between.get(key) || []), fact]);
}
for (const [, parallel] of between) {
  parallel.forEach((fact, i) => {
    const bend = parallel.length === 1 ? 0 : 0.45 * (i / (parallel.length - 1) - 0.5);
    fact.bend = fact.s === fact.o ? 0.35 + 0.2 * i : fact.s < fact.o ? bend : -bend;
  });
}
for (const node of nodes) node.radius = (types.get(node.type) || {}).literal ? 4 : 4.5 + 1.5 * Math.sqrt(node.facts.length);

// state: what is selected, and what is hovered; `near` are the nodes and facts that stay bright
let selected = null, hovered = null, near = null, theme = {};
const isNode = (thing) => thing && "facts" in thing;
const other = (fact, node) => nodes[fact.s === node.id ? fact.o : fact.s];
const shown = (node) => !hidden.has(node.type);

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "style") made.style.cssText = value;
    else if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((c) => c !== null));
  return made;
}
const counted = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many || one + "s"}`;
const nameButton = (node) =>
  element("button", { className: "name", dir: "auto", style: `border-color: ${colour(node)}`, onclick: () => select(node, true) }, node.name);
const chip = (node) =>
  element("span", { className: "type", style: `background: ${colour(node)}` }, (types.get(node.type) || {}).label || node.type);

// a sentence, with the names of both ends marked
function quote([document_, sentence, score], fact) {
  const names = [nodes[fact.s], nodes[fact.o]].flatMap((n) => [n.name, ...n.aliases]).filter((n) => n.length > 1);
  names.sort((a, b) => b.length - a.length);
  const quoted = element("blockquote", { dir: "auto" });
  let rest = sentence;
  while (rest) {
    let at = rest.length, found = "";
    for (const name of names) {
      const place = rest.indexOf(name);
      if (place >= 0 && place < at) [at, found] = [place, name];
    }
    quoted.append(rest.slice(0, at));
    if (found) quoted.append(element("b", {}, found));
    rest = rest.slice(at + found.length);
  }
  const from = data.documents[document_];
  const title = element(/^(https?|file):/.test(from.uri) ? "a" : "span", { title: from.uri, dir: "auto" }, from.title);
  if (title.tagName === "A") Object.assign(title, { href: from.uri, target: "_blank", rel: "noreferrer" });
  quoted.append(element("cite", {}, title, ` · score ${score.toFixed(2)}`));
  return quoted;
}
function quotes(fact, open) {
  const first = open ? fact.evidence.length : 1;
  const made = fact.evidence.slice(0, first).map((e) => quote(e, fact));
  const rest = fact.evidence.slice(first), beyond = fact.n_evidence - fact.evidence.length;
  const more = beyond > 0 ? element("p", { className: "soft" }, `${counted(beyond, "more sentence")} in the graph.`) : null;
  if (rest.length)
    made.push(element("details", {}, element("summary", {}, counted(rest.length + beyond, "more sentence")), ...rest.map((e) => quote(e, fact)), more));
  else if (more) made.push(more);
  return made;
}

function panelOfNode(node) {
  const also = node.aliases.filter((a) => a !== node.name);
  const made = [element("h2", { dir: "auto" }, node.name), element("div", {}, chip(node))];
  if (also.length) made.push(element("p", { className: "soft", dir: "auto" }, "also: " + also.join(", ")));
  const groups = new Map();
  for (const fact of node.facts) {
    const key = [fact.s === node.id ? 0 : 1, fact.r].join();
    groups.set(key, [...(groups.get(key) || []), fact]);
  }
  for (const [key, group] of [...groups].sort(([a, f], [b, g]) => a[0] - b[0] || g.length - f.length || (a < b ? -1 : 1))) {
    const relation = group[0].r, out = key[0] === "0";
    made.push(element("h3", { title: relation }, out ? `${label(relation)} →` : `→ ${label(relation)}`));
    group.sort((f, g) => g.support - f.support || g.score - f.score);
    for (const fact of group) {
      const support = element("button", { className: "soft", title: "show this fact", onclick: () => select(fact, true) }, counted(fact.support, "sentence"));
      made.push(element("div", { className: "fact" }, element("div", {}, nameButton(other(fact, node)), element("small", {}, support)), ...quotes(fact, false)));
    }
  }
  if (!node.facts.length) made.push(element("p", { className: "soft" }, "No fact of it is on this page."));
  const beyond = node.n_facts - node.facts.length;
  if (beyond > 0)
    made.push(element("p", { className: "soft" }, `${counted(beyond, "more fact")} of it ${beyond === 1 ? "is" : "are"} in the graph, not on this page: kgpipe show "${node.name}"`));
  return made;
}
function panelOfFact(fact) {
  const statement = element("p", { className: "statement" }, nameButton(nodes[fact.s]), element("code", { title: fact.r }, ` ${label(fact.r)} → `), nameButton(nodes[fact.o]));
  const said = `said in ${counted(fact.support, "sentence")}, best score ${fact.score.toFixed(2)}`;
  return [statement, element("p", { className: "soft" }, `${fact.r}, ${said}`), ...quotes(fact, true)];
}
function panelOfPage() {
  const most = [...nodes].filter(shown).sort((a, b) => b.facts.length - a.facts.length || (a.name < b.name ? -1 : 1)).slice(0, 15);
  const listed = most.map((n) => element("li", {}, nameButton(n), element("small", {}, counted(n.facts.length, "fact"))));
  return [
    element("h2", { dir: "auto" }, data.title), element("p", { className: "soft" }, data.note),
    element("p", { className: "soft" }, "Click a node or a line to read the sentences that state it. Drag nodes, scroll to zoom, / to search."),
    element("h3", {}, "Most facts on this page"), element("ul", { className: "most" }, ...listed),
  ];
}
function drawPanel() {
  const close = element("button", { id: "close", title: selected ? "back to the page (Esc)" : "hide this panel (Esc)", onclick: back }, "×");
  byId("panel").replaceChildren(close, ...(!selected ? panelOfPage() : isNode(selected) ? panelOfNode(selected) : panelOfFact(selected)));
  byId("panel").scrollTop = 0;
}

function brighten() {
  const thing = hovered || selected;
  if (!thing) near = null;
  else if (isNode(thing)) near = new Set([thing, ...thing.facts, ...thing.facts.map((f) => other(f, thing))]);
  else near = new Set([thing, nodes[thing.s], nodes[thing.o]]);
}
function select(thing, move) {
  selected = thing;
  hovered = null;
  if (thing) document.body.classList.remove("wide");
  for (const node of thing ? (isNode(thing) ? [thing] : [nodes[thing.s], nodes[thing.o]]) : []) reveal(node);
  brighten();
  drawPanel();
  size();
  history.replaceState(null, "", isNode(thing) ? "#" + thing.uid : location.pathname + location.search);
  if (move && isNode(thing) && thing.x !== undefined) {
    graph.centerAt(thing.x, thing.y, 500);
    if (graph.zoom() < 1.6) graph.zoom(1.6, 500);
  }
}
function back() {
  if (selected) return select(null);
  document.body.classList.toggle("wide");
  size();
}
function reveal(node) {
  if (shown(node)) return;
  hidden.delete(node.type);
  drawLegend();
  apply();
}

// drawing
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["text", "soft", "back", "edge", "accent", "line"]) theme[name] = style.getPropertyValue("--" + name).trim();
}
const font = getComputedStyle(document.body).fontFamily;
function short(name, most = 34) {
  return name.length > most ? name.slice(0, most - 1).trimEnd() + "…" : name;
}
function drawNode(node, context) {
  const faded = near && !near.has(node);
  context.globalAlpha = faded ? 0.18 : 1;
  context.beginPath();
  if ((types.get(node.type) || {}).literal) context.rect(node.x - node.radius, node.y - node.radius, 2 * node.radius, 2 * node.radius);
  else context.arc(node.x, node.y, node.radius, 0, 2 * Math.PI);
  context.fillStyle = colour(node);
  context.fill();
  context.lineWidth = node === selected || node.uid === data.centre ? 2.2 : 0.6;
  context.strokeStyle = node === selected ? theme.accent : node.uid === data.centre ? theme.text : "#00000070";
  context.stroke();
  context.globalAlpha = 1;
}
// Names have one size on the screen; one that would lie on a name of a better connected node is left out.
function drawNames(context, scale) {
  const taken = [];
  const rank = (n) => (n === selected || n === hovered ? 1e9 : near && near.has(n) ? 1e6 : 0) + (n.uid === data.centre ? 1e3 : 0) + n.facts.length;
  const visible = nodes.filter((n) => shown(n) && n.x !== undefined && (!near || near.has(n))).sort((a, b) => rank(b) - rank(a));
  context.textAlign = "center";
  context.textBaseline = "top";
  context.lineJoin = "round";
  for (const node of visible) {
    const strong = node === selected || node === hovered || node.uid === data.centre;
    const height = (strong ? 14 : 12) / scale;
    context.font = `${strong ? 600 : 500} ${height}px ${font}`;
    const text = short(node.name), width = context.measureText(text).width;
    const box = [node.x - width / 2 - 2 / scale, node.y + node.radius + 2 / scale, node.x + width / 2 + 2 / scale, node.y + node.radius + 2 / scale + height * 1.1];
    if (taken.some((t) => t[0] < box[2] && box[0] < t[2] && t[1] < box[3] && box[1] < t[3])) continue;
    taken.push(box);
    context.lineWidth = 3.5 / scale;
    context.strokeStyle = theme.back;
    context.strokeText(text, node.x, box[1]);
    context.fillStyle = theme.text;
    context.fillText(text, node.x, box[1]);
  }
}
function drawRelation(fact, context, scale) {
  const bright = near && near.has(fact);
  if (!bright && (near || scale < 2.6)) return;
  const start = fact.source, end = fact.target;
  if (start.x === undefined || start === end) return;
  const dx = end.x - start.x, dy = end.y - start.y, long = Math.hypot(dx, dy);
  const height = 10.5 / scale;
  context.font = `${height}px ${font}`;
  const text = label(fact.r);
  if (context.measureText(text).width > long - start.radius - end.radius - 8 / scale) return;
  const x = (start.x + end.x) / 2 + (dy * fact.bend) / 2, y = (start.y + end.y) / 2 - (dx * fact.bend) / 2;
  let angle = Math.atan2(dy, dx);
  if (Math.abs(angle) > Math.PI / 2) angle += Math.PI;
  context.save();
  context.translate(x, y);
  context.rotate(angle);
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3.5 / scale;
  context.lineJoin = "round";
  context.strokeStyle = theme.back;
  context.strokeText(text, 0, 0);
  context.fillStyle = fact === selected || fact === hovered ? theme.accent : theme.soft;
  context.fillText(text, 0, 0);
  context.restore();
}

readTheme();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readTheme);
const hover = (thing) => {
  hovered = thing || null;
  brighten();
};
const strong = (fact) => fact === selected || fact === hovered;
const graph = new ForceGraph(byId("graph"))
  .nodeId("id").nodeVal((n) => n.radius ** 2 / 16).nodeLabel(null).linkLabel(null)
  .nodeVisibility(shown).linkVisibility((f) => shown(nodes[f.s]) && shown(nodes[f.o]))
  .nodeCanvasObject(drawNode)
  .nodePointerAreaPaint((node, paint, context) => {
    context.fillStyle = paint;
    context.beginPath();
    context.arc(node.x, node.y, node.radius + 2, 0, 2 * Math.PI);
    context.fill();
  })
  .linkCurvature("bend").linkDirectionalArrowLength((f) => (near && !near.has(f) ? 0 : 3.5)).linkDirectionalArrowRelPos(1)
  .linkColor((f) => (strong(f) ? theme.accent : near && !near.has(f) ? theme.line + "60" : theme.edge + (near ? "" : "a0")))
  .linkWidth((f) => (strong(f) ? 2.5 : Math.min(3, 0.6 + 0.4 * f.support)))
  .linkCanvasObjectMode(() => "after").linkCanvasObject(drawRelation)
  .linkHoverPrecision(5)
  .onNodeHover(hover).onLinkHover(hover)
  .onNodeClick((node) => select(node)).onLinkClick((fact) => select(fact))
  .onNodeDragEnd((node) => Object.assign(node, { fx: node.x, fy: node.y }))
  .onBackgroundClick(() => select(null))
  .onRenderFramePost(drawNames)
  .autoPauseRedraw(false).minZoom(0.1).maxZoom(12).warmupTicks(120).cooldownTime(4000);
graph.d3Force("charge").strength((n) => -170 - 9 * n.radius).distanceMax(900);
graph.d3Force("link").distance((f) => 50 + 7 * Math.sqrt(Math.max(f.source.facts.length, f.target.facts.length)));
graph.d3Force("centre of gravity", (alpha) => {
  for (const node of nodes) {
    node.vx -= (node.x || 0) * 0.065 * alpha;
    node.vy -= (node.y || 0) * 0.065 * alpha;
  }
});
let fitted = false;
const fit = (ms) => graph.zoomToFit(ms, 50, shown);
graph.onEngineStop(() => {
  document.body.dataset.settled = "yes";
  if (!fitted && !selected) fit(400);
  fitted = true;
});
function size() {
  const box = byId("graph").getBoundingClientRect();
  graph.width(box.width).height(box.height);
}
function apply() {
  graph.graphData({ nodes: nodes.filter(shown), links: facts.filter((f) => shown(nodes[f.s]) && shown(nodes[f.o])) });
}
window.addEventListener("resize", size);

// legend
function drawLegend() {
  const row = (type) => {
    const box = element("input", { type: "checkbox", checked: !hidden.has(type.name) });
    box.onchange = () => {
      box.checked ? hidden.delete(type.name) : hidden.add(type.name);
      if (isNode(selected) && !shown(selected)) select(null);
      apply();
    };
    const dot = element("span", { className: type.literal ? "dot literal" : "dot", style: `background: ${type.colour}` });
    return element("label", {}, box, dot, element("span", {}, type.label), element("span", {}, type.n.toLocaleString("en")));
  };
  const group = (title, wanted) => (wanted.length ? [element("h2", {}, title), ...wanted.map(row)] : []);
  byId("legend").replaceChildren(...group("Types", data.types.filter((t) => !t.literal)), ...group("Values", data.types.filter((t) => t.literal)));
}

// search
const box = byId("search").querySelector("input");
let matches = [], chosen = 0;
function search() {
  const wanted = box.value.trim().toLowerCase();
  const place = (n) => {
    const at = [n.name, ...n.aliases].map((name) => name.toLowerCase().indexOf(wanted)).filter((i) => i >= 0);
    return at.length ? Math.min(...at) : -1;
  };
  matches = wanted ? nodes.filter((n) => place(n) >= 0).sort((a, b) => (place(a) > 0) - (place(b) > 0) || b.facts.length - a.facts.length).slice(0, 12) : [];
  chosen = 0;
  drawMatches();
}
function drawMatches() {
  const none = box.value.trim() && !matches.length;
  byId("matches").replaceChildren(
    ...matches.map((node, i) =>
      element("li", { role: "option", "aria-selected": String(i === chosen), onmousedown: (e) => (e.preventDefault(), take(node)) },
        element("span", { className: "dot", style: `background: ${colour(node)}` }), element("span", { dir: "auto" }, short(node.name, 40)),
        element("small", {}, counted(node.facts.length, "fact")))),
    ...(none ? [element("li", { className: "soft" }, "nothing on this page is called so")] : []));
}
function take(node) {
  box.value = "";
  matches = [];
  drawMatches();
  box.blur();
  select(node, true);
}
box.oninput = search;
box.onkeydown = (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    chosen = (chosen + (event.key === "ArrowDown" ? 1 : matches.length - 1)) % (matches.length || 1);
    drawMatches();
    event.preventDefault();
  } else if (event.key === "Enter" && matches.length) take(matches[chosen]);
  else if (event.key === "Escape") {
    box.value = "";
    search();
    box.blur();
    event.stopPropagation();
  }
};
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== box) {
    box.focus();
    event.preventDefault();
  } else if (event.key === "Escape") back();
});
byId("fit").onclick = () => fit(400);
byId("loose").onclick = () => {
  for (const node of nodes) node.fx = node.fy = undefined;
  graph.d3ReheatSimulation();
};

if (!data.values_shown) for (const type of data.types) if (type.literal) hidden.add(type.name);
drawLegend();
drawPanel();
size();
apply();
graph.centerAt(0, 0).zoom(1);
fit(0);
const linked = byUid.get(location.hash.slice(1));
if (linked) select(linked, true);
