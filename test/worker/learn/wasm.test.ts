import { test } from "node:test";
import { openEngine } from "./engines.ts";
import { gradientClaims } from "./gradientclaims.ts";
import { lossClaims } from "./lossclaims.ts";
import { networkClaims } from "./networkclaims.ts";
import { refusalClaims } from "./refusalclaims.ts";
import { trainingClaims } from "./trainingclaims.ts";

const engine = await openEngine("wasm");
if (typeof engine === "string") test("everything on wasm", { skip: engine });
else for (const claims of [lossClaims, gradientClaims, trainingClaims, networkClaims, refusalClaims]) claims(engine);
