// Checks custom resources (JSON, a list on standard input) as their operators define them. Prints what is wrong, a line
// each; exits with 1 if anything is. Operators drop fields that they do not know without a word, so these count as well:
// a field of the spec is known when the validator looks at it.
import path from "node:path";
import { pathToFileURL } from "node:url";

const PACKAGES = {
  "keda.sh": "@kubernetes-models/keda",
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
};
const modules = process.argv[2];

function watched(value, place, unread) {
  if (value === null || typeof value !== "object") return value;
  const children = {};
  for (const key of Object.keys(value)) {
    const here = `${place}/${key}`;
    if (!Array.isArray(value)) unread.add(here);
    children[key] = watched(value[key], here, unread);
  }
  return new Proxy(value, {
    get(target, key) {
      unread.delete(`${place}/${String(key)}`);
      return Object.hasOwn(children, key) ? children[key] : target[key];
    },
  });
}

let failed = false;
for (const item of JSON.parse(await new Response(process.stdin).text())) {
  const [group] = item.apiVersion.split("/");
  const name = `${item.kind} ${item.metadata.name}`;
  const file = path.join(modules, PACKAGES[group], item.apiVersion, `${item.kind}.js`);
  const model = (await import(pathToFileURL(file)))[item.kind];
  const object = new model(item);
  try {
    object.validate();
  } catch (error) {
    failed = true;
    console.log(`${name}: ${error.message}`);
    continue;
  }
  const unread = new Set();
  object.spec = watched(object.spec, "spec", unread);
  object.validate();
  for (const place of unread) {
    failed = true;
    console.log(`${name}: no such field: ${place}`);
  }
}
process.exit(failed ? 1 : 0);
