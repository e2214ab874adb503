"use strict";
// Zooming, pointing, clicking, opening and searching. The pictures are there already; without this they are only still.
(() => {
  // The whole, and after it the graphs inside of nodes.
  const { graphs } = JSON.parse(document.getElementById("data").textContent);
  // Of each node: function, type, number of elements, operation, source line, inputs, whether it is a result, and the graphs
  // inside of it.
  const [FUNCTION, TYPE, SIZE, OPERATION, LINE, INPUTS, RESULT, INSIDE] = [0, 1, 2, 3, 4, 5, 6, 7];
  // Of each of these: its name, its position among the graphs, if it is drawn, and its number of nodes.
  const [NAME, POSITION, NODES] = [0, 1, 2];
  const details = document.getElementById("details");
  const tip = document.getElementById("tip");
  const found = document.getElementById("found");
  const search = document.getElementById("search");

  graphs.forEach((graph, position) => {
    graph.users = graph.nodes.map(() => []);
    graph.nodes.forEach((node, id) => {
      for (const input of new Set(node[INPUTS])) if (graph.users[input]) graph.users[input].push(id);
    });
    graph.pictures = [...document.querySelectorAll(`[data-graph="${position}"]`)].map((section, index) => {
      const svg = section.querySelector("svg");
      const marks = [...svg.querySelectorAll(".mark")];
      // The mark that each node is drawn by.
      const markOf = new Map();
      graph.marks[index].forEach((nodes, mark) => nodes.forEach((node) => {
        markOf.set(node, mark);
        if (graph.nodes[node] && graph.nodes[node][INSIDE].length) marks[mark].classList.add("opens");
      }));
      return { section, svg, marks, nodes: graph.marks[index], markOf, view: svg.querySelector(".view"),
        links: svg.querySelector(".links"), x: 0, y: 0, scale: 1, fitted: false };
    });
  });
  let data = graphs[0];
  let tab = Math.max(data.pictures.findIndex((picture) => !picture.section.hidden), 0);
  let current = data.pictures[tab];
  let picked = null;
  // The way from the whole to the graph that is shown: the nodes that were opened, and the names of the graphs inside.
  let way = [];

  const apply = (p) => p.view.setAttribute("transform", `translate(${p.x} ${p.y}) scale(${p.scale})`);

  // Shows all of it; at first what would be too small to read begins at its top, at a size that can be read.
  function fit(p, readable) {
    const width = +p.svg.dataset.width, height = +p.svg.dataset.height;
    const room = p.svg.getBoundingClientRect();
    const scale = Math.min((room.width - 60) / width, (room.height - 60) / height, 2.5);
    const small = readable && scale < 0.65 && p.svg.querySelector(".mark text");
    p.scale = Math.max(small ? 0.65 : scale, 0.02);
    const first = p.marks[0] && middle(p.marks[0]);
    p.x = width * p.scale < room.width || !first ? (room.width - width * p.scale) / 2 :
      Math.min(30, room.width / 3 - first[0] * p.scale);
    p.y = height * p.scale < room.height || !first ? Math.max((room.height - height * p.scale) / 2, 30) :
      Math.min(30, room.height / 3 - first[1] * p.scale);
    p.fitted = true;
    apply(p);
  }

  function zoom(p, factor, x, y) {
    const scale = Math.min(Math.max(p.scale * factor, 0.02), 12);
    p.x = x - (x - p.x) * (scale / p.scale);
    p.y = y - (y - p.y) * (scale / p.scale);
    p.scale = scale;
    apply(p);
  }

  function zoomMiddle(factor) {
    const room = current.svg.getBoundingClientRect();
    zoom(current, factor, room.width / 2, room.height / 2);
  }

  // The middle of a mark in the picture's own lengths.
  function middle(mark) {
    const box = mark.getBBox();
    return [box.x + box.width / 2, box.y + box.height / 2];
  }

  function show(index) {
    tab = index;
    graphs.forEach((graph) => graph.pictures.forEach((p, i) => { p.section.hidden = graph !== data || i !== index; }));
    document.querySelectorAll("[data-tab]").forEach((button, i) => button.setAttribute("aria-selected", i === index));
    current = data.pictures[index];
    if (!current.fitted) fit(current, true);
    highlight();
  }

  // Shows the graph at the end of a way.
  function go(to) {
    way = to;
    data = graphs[way.length ? way[way.length - 1].position : 0];
    const path = document.getElementById("path");
    path.hidden = way.length === 0;
    path.replaceChildren();
    [{ title: "whole" }, ...way].forEach((step, depth) => {
      if (depth) path.append(element("span", "›"));
      const button = element("button", step.title);
      if (depth === way.length) button.setAttribute("aria-current", "page");
      button.onclick = () => up(depth);
      path.append(button);
    });
    search.value = "";
    find("");
    pick([]);
    show(tab);
  }

  function open(id, graph) {
    const node = data.nodes[id];
    go([...way, { id, position: graph[POSITION], title: `${node[FUNCTION]} #${id}: ${graph[NAME]}` }]);
  }

  // Back to the graph at this depth, at the node that was opened there.
  function up(depth) {
    if (depth < 0 || depth >= way.length) return;
    const { id } = way[depth];
    go(way.slice(0, depth));
    pick([id]);
    reveal(id);
  }

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  const elements = (size) => `${size.toLocaleString("en")} element${size === 1 ? "" : "s"}`;
  const title = (id) => `${data.nodes[id][FUNCTION]}  ${data.nodes[id][TYPE]}`;

  function list(heading, ids) {
    const most = 60;
    details.append(element("h3", `${heading} (${ids.length})`));
    const items = element("ul");
    for (const id of ids.slice(0, most)) {
      const item = element("li"), button = element("button", `#${id} ${title(id)}`);
      button.onclick = () => { pick([id]); reveal(id); };
      item.append(button);
      items.append(item);
    }
    if (ids.length > most) items.append(element("li", `and ${ids.length - most} more`, "hint"));
    details.append(items);
  }

  function inside(id, found) {
    if (!found.length) return;
    details.append(element("h3", `Inside (${found.length})`));
    const items = element("ul");
    for (const graph of found) {
      const item = element("li"), text = `${graph[NAME]}, ${graph[NODES].toLocaleString("en")} nodes`;
      if (graph[POSITION] === null) {
        item.append(element("span", `${text}: too many to be drawn here`, "hint"));
      } else {
        const button = element("button", `Open ${text}`);
        button.onclick = () => open(id, graph);
        item.append(button);
      }
      items.append(item);
    }
    details.append(items);
  }

  function describe(ids) {
    details.replaceChildren();
    const known = ids.filter((id) => data.nodes[id]);
    if (known.length === 0) {
      details.append(element("p", ids.length === 0 ? "Click a node." :
        `Details are kept for the first ${data.nodes.length} of ${data.total} nodes.`, "hint"));
      return;
    }
    if (ids.length > 1) {
      details.append(element("h2", `${data.nodes[known[0]][FUNCTION]} × ${ids.length}`));
      list("Nodes", known);
      return;
    }
    const id = known[0], node = data.nodes[id];
    details.append(element("h2", node[FUNCTION]));
    const facts = element("dl");
    const fact = (name, value) => { facts.append(element("dt", name)); const dd = element("dd"); dd.append(value); facts.append(dd); };
    fact("node", `#${id}${node[RESULT] ? ", a result" : ""}`);
    fact("type", element("code", node[TYPE]));
    fact("elements", node[SIZE].toLocaleString("en"));
    fact("operation", element("code", node[OPERATION]));
    fact("source", node[LINE] ? element("code", node[LINE]) : "not known");
    details.append(facts);
    inside(id, node[INSIDE]);
    list("Inputs", [...new Set(node[INPUTS])]);
    list("Users", data.users[id]);
  }

  function highlight() {
    const p = current;
    p.links.replaceChildren();
    p.marks.forEach((mark) => mark.classList.remove("is-picked", "is-input", "is-user"));
    p.svg.classList.toggle("picked", picked !== null && p.nodes.length > 0);
    if (picked === null) return;
    const marked = (id, name) => {
      const mark = p.marks[p.markOf.get(id)];
      if (mark) mark.classList.add(name);
      return mark;
    };
    const most = 400;
    let links = 0;
    for (const id of picked) {
      const own = marked(id, "is-picked");
      const node = data.nodes[id];
      if (!own || !node) continue;
      const [x, y] = middle(own);
      const link = (other, markName, linkName) => {
        const mark = marked(other, markName);
        if (!mark || mark === own || links++ > most) return;
        const [u, v] = middle(mark);
        const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        path.setAttribute("d", `M${u} ${v}C${u} ${(v + y) / 2} ${x} ${(v + y) / 2} ${x} ${y}`);
        path.setAttribute("class", linkName);
        p.links.append(path);
      };
      node[INPUTS].forEach((input) => link(input, "is-input", "to-input"));
      data.users[id].forEach((user) => link(user, "is-user", "to-user"));
    }
  }

  function pick(ids) {
    picked = ids.length ? ids : null;
    describe(ids);
    highlight();
  }

  // Moves the picture so that a node can be seen.
  function reveal(id) {
    const mark = current.marks[current.markOf.get(id)];
    if (!mark) return;
    const [x, y] = middle(mark), room = current.svg.getBoundingClientRect();
    const sx = x * current.scale + current.x, sy = y * current.scale + current.y;
    if (sx > 40 && sy > 40 && sx < room.width - 40 && sy < room.height - 40) return;
    if (current.scale < 0.5) current.scale = 0.8;
    current.x = room.width / 2 - x * current.scale;
    current.y = room.height / 2 - y * current.scale;
    apply(current);
  }

  function find(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    graphs.forEach((graph) => graph.pictures.forEach((p) => p.marks.forEach((mark) => mark.classList.remove("is-found"))));
    if (words.length === 0) { found.textContent = ""; return []; }
    const hits = [];
    data.nodes.forEach((node, id) => {
      const all = `#${id} ${node[FUNCTION]} ${node[TYPE]} ${node[OPERATION]} ${node[LINE]}`.toLowerCase();
      if (words.every((word) => all.includes(word))) hits.push(id);
    });
    for (const p of data.pictures) for (const id of hits) {
      const mark = p.marks[p.markOf.get(id)];
      if (mark) mark.classList.add("is-found");
    }
    found.textContent = `${hits.length} found`;
    return hits;
  }

  const markAt = (event) => { const at = event.target.closest && event.target.closest(".mark"); return at && +at.dataset.mark; };

  for (const p of graphs.flatMap((graph) => graph.pictures)) {
    let from = null, moved = false;
    p.svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      const room = p.svg.getBoundingClientRect();
      zoom(p, Math.exp(-event.deltaY * 0.0015), event.clientX - room.left, event.clientY - room.top);
    }, { passive: false });
    p.svg.addEventListener("pointerdown", (event) => { from = [event.clientX - p.x, event.clientY - p.y, event.clientX, event.clientY]; moved = false; });
    p.svg.addEventListener("pointermove", (event) => {
      if (from) {
        if (!moved && Math.hypot(event.clientX - from[2], event.clientY - from[3]) > 4) {
          moved = true;
          p.svg.setPointerCapture(event.pointerId);
          p.svg.classList.add("moving");
        }
        if (moved) { p.x = event.clientX - from[0]; p.y = event.clientY - from[1]; apply(p); tip.hidden = true; return; }
      }
      const mark = markAt(event);
      if (mark === null || mark === undefined) { tip.hidden = true; return; }
      const ids = p.nodes[mark], node = data.nodes[ids[0]];
      tip.textContent = !node ? `${ids.length} nodes` : ids.length > 1 ? `${node[FUNCTION]} × ${ids.length}\nclick for a list` :
        `${node[OPERATION]}\n${node[TYPE]}, ${elements(node[SIZE])}${node[LINE] ? "\n" + node[LINE] : ""}` +
          (node[INSIDE].length ? "\nclick twice to open" : "");
      tip.hidden = false;
      const width = tip.offsetWidth, height = tip.offsetHeight;
      tip.style.left = `${Math.min(event.clientX + 14, innerWidth - width - 8)}px`;
      tip.style.top = `${event.clientY + 18 + height > innerHeight ? event.clientY - height - 10 : event.clientY + 18}px`;
    });
    p.svg.addEventListener("pointerup", () => { from = null; p.svg.classList.remove("moving"); });
    p.svg.addEventListener("pointerleave", () => { from = null; tip.hidden = true; });
    p.svg.addEventListener("click", (event) => {
      if (moved) return;
      const mark = markAt(event);
      pick(mark === null || mark === undefined ? [] : p.nodes[mark]);
    });
    p.svg.addEventListener("dblclick", (event) => {
      const mark = markAt(event), ids = mark === null || mark === undefined ? [] : p.nodes[mark];
      const node = ids.length === 1 && data.nodes[ids[0]];
      // What a loop does in each iteration stands last.
      const graph = node && node[INSIDE].findLast((graph) => graph[POSITION] !== null);
      if (graph) open(ids[0], graph);
    });
  }

  document.querySelectorAll("[data-tab]").forEach((button, index) => { button.onclick = () => show(index); });
  document.getElementById("in").onclick = () => zoomMiddle(1.4);
  document.getElementById("out").onclick = () => zoomMiddle(1 / 1.4);
  document.getElementById("fit").onclick = () => fit(current);
  search.addEventListener("input", () => find(search.value));
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const hits = find(search.value);
    if (hits.length) { pick(hits.slice(0, 1)); reveal(hits[0]); }
  });
  addEventListener("keydown", (event) => {
    if (event.target === search) { if (event.key === "Escape") { search.value = ""; find(""); search.blur(); } return; }
    if (event.key === "Escape") { if (picked === null) up(way.length - 1); else pick([]); }
    else if (event.key === "/") { event.preventDefault(); search.focus(); }
    else if (event.key === "+" || event.key === "=") zoomMiddle(1.4);
    else if (event.key === "-") zoomMiddle(1 / 1.4);
    else if (event.key === "0") fit(current);
  });
  addEventListener("resize", () => {
    graphs.forEach((graph) => graph.pictures.forEach((p) => { p.fitted = false; }));
    fit(current, true);
  });
  fit(current, true);
})();
