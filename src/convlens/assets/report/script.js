"use strict";

for (const viewer of document.querySelectorAll(".viewer")) {
  const slider = viewer.querySelector("input[type=range]");
  const output = viewer.querySelector("output");
  const frames = [...viewer.querySelectorAll("figure")];

  const show = () => {
    const photo = viewer.querySelector("input[type=radio]:checked")?.value ?? "0";
    const step = slider?.value ?? "0";
    for (const frame of frames) {
      frame.hidden = frame.dataset.photo !== photo || frame.dataset.step !== step;
      if (!frame.hidden && slider) {
        output.value = frame.dataset.name;
        slider.setAttribute("aria-valuetext", frame.dataset.name);
      }
    }
  };
  viewer.addEventListener("input", show);
  show(); // a reloaded page may have kept the controls' places
}

const dialog = document.querySelector("dialog");
const large = dialog.querySelector("img");
for (const button of document.querySelectorAll(".zoom")) {
  button.addEventListener("click", () => {
    const small = button.querySelector("img");
    large.src = small.src;
    large.alt = small.alt;
    dialog.showModal();
  });
}
dialog.addEventListener("click", () => dialog.close());

const links = new Map(
  [...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]),
);
const list = document.querySelector("nav ul");
const watch = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const link = links.get(target.id);
      if (isIntersecting) link?.setAttribute("aria-current", "location");
      else link?.removeAttribute("aria-current");
      if (isIntersecting && link) list.scrollTo({ left: link.offsetLeft - list.clientWidth / 3 });
    }
  },
  { rootMargin: "-20% 0px -79% 0px" },
);
for (const section of document.querySelectorAll("section[id]")) watch.observe(section);
