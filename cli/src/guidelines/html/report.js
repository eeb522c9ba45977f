
'use strict';
(() => {
  const byId = (id) => document.getElementById(id);
  const form = byId('filters');
  const words = byId('words');
  const filters = {
    guideline: (item, value) => list(item, 'guidelines').includes(value),
    primitive: (item, value) => list(item, 'primitives').includes(value),
    framework: (item, value) => item.dataset.framework === undefined || item.dataset.framework === value,
    decision: (item, value) => item.dataset.decision === undefined || item.dataset.decision === value,
    evidence: (item, value) => item.dataset.evidence === undefined || item.dataset.evidence === value,
  };
  // What these ask of provisions, requirements take from the provisions that name them; and the other way round.
  const ofProvisions = ['framework', 'decision'];
  const ofRequirements = ['evidence'];
  const items = Array.from(document.querySelectorAll('.item'), (element) => ({
    element,
    text: element.textContent.toLowerCase(),
    isProvision: element.classList.contains('provision'),
  }));
  const groups = Array.from(document.querySelectorAll('.group'));

  function list(item, name) {
    return (item.dataset[name] || '').split(' ');
  }

  function apply() {
    const searched = words.value.toLowerCase().split(/\s+/).filter((word) => word !== '');
    const chosen = Object.entries(filters).filter(([name]) => byId(name).value !== '');
    const isChosen = (names) => chosen.some(([name]) => names.includes(name));
    const holding = items.filter(({ element }) => chosen.every(([name, holds]) => holds(element, byId(name).value)));
    const named = new Set(holding.filter((item) => item.isProvision).flatMap(({ element }) => list(element, 'requirements')));
    const known = new Set(holding.filter((item) => !item.isProvision).map(({ element }) => element.id));
    const related = ({ element, isProvision }) => (isProvision
      ? !isChosen(ofRequirements) || list(element, 'requirements').some((id) => known.has(id))
      : !isChosen(ofProvisions) || named.has(element.id));
    const shown = { provisions: 0, requirements: 0 };
    for (const item of items) {
      item.element.hidden = true;
    }
    for (const item of holding) {
      if (related(item) && searched.every((word) => item.text.includes(word))) {
        item.element.hidden = false;
        shown[item.isProvision ? 'provisions' : 'requirements'] += 1;
      }
    }
    const isFiltered = searched.length > 0 || chosen.length > 0;
    for (const group of groups) {
      group.hidden = isFiltered && !group.querySelector('.item:not([hidden])');
    }
    const all = items.filter((item) => item.isProvision).length;
    byId('count').textContent = `${shown.provisions} of ${all} provisions and `
      + `${shown.requirements} of ${items.length - all} requirements are shown.`;
  }

  // A link leads to what it names, even where a filter hides that.
  function follow() {
    const target = byId(decodeURIComponent(location.hash.slice(1)));
    if (!target) {
      return;
    }
    if (target.closest('[hidden]')) {
      form.reset();
      apply();
    }
    if (target.matches('details')) {
      target.open = true;
      target.querySelector('summary').focus();
    }
    target.scrollIntoView();
  }

  form.hidden = false;
  form.addEventListener('input', apply);
  form.addEventListener('change', apply);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => setTimeout(apply));
  byId('open').addEventListener('click', () => {
    for (const { element } of items) {
      element.open = element.open || !element.hidden;
    }
  });
  byId('close').addEventListener('click', () => {
    for (const { element } of items) {
      element.open = false;
    }
  });
  byId('matrix').addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button) {
      return;
    }
    form.reset();
    for (const name of ['guideline', 'primitive']) {
      byId(name).value = button.dataset[name];
    }
    apply();
    const first = document.querySelector('.requirement:not([hidden])');
    if (!first) {
      return;
    }
    first.open = true;
    first.querySelector('summary').focus();
    first.scrollIntoView({ block: 'center' });
  });
  addEventListener('hashchange', follow);

  // Paper has no details to open.
  const opened = new Set();
  addEventListener('beforeprint', () => {
    for (const { element } of items) {
      if (!element.hidden && !element.open) {
        element.open = true;
        opened.add(element);
      }
    }
  });
  addEventListener('afterprint', () => {
    for (const element of opened) {
      element.open = false;
    }
    opened.clear();
  });

  apply();
  follow();
})();
