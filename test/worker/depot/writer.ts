/** A process that puts a checkpoint of a folder into a depot, and waits to be killed: `writer URL FOLDER`. */
import { openWorkerDepot } from "../../../worker/depot/workerdepot.ts";

const [url, folder] = process.argv.slice(2);
const depot = await openWorkerDepot({ url: url!, folder: "smoke", status: { waitingFor: () => "" } });
depot.saved(folder!, { stage: "distil", keep: 2 }, () => process.send!("sent"));
setInterval(() => {}, 1_000);
