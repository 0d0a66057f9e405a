/** A child for crash.test.ts: makes and fills the store in an order of its own, again and again, until it is killed. */
import { permutation } from "../../../core/permutation.ts";
import { Store } from "../../../worker/cache/store.ts";
import { makeStore } from "../../../worker/cache/stores.ts";
import { key, logitsOf } from "./samples.ts";

const [dir = "", seed = "0"] = process.argv.slice(2);
const made = await makeStore(dir, key, 2 ** 30);
if ("why" in made) throw new Error(made.why);
const store = new Store(made.folder, key);
const order = permutation(key.examples * key.period, Number(seed));
const lane = 16;
for (let first = 0; ; first = (first + lane) % (key.examples * key.period)) {
  for (let at = first; at < first + lane; at++) {
    const place = order(at);
    const ids = Uint32Array.of(place % key.examples);
    const view = Math.floor(place / key.examples);
    store.write(ids, view, logitsOf(ids, view));
  }
  if (first === 0) process.send!("writing");
}
