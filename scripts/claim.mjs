// Claims a storage folder for a process, for scripts/dev.sh: node scripts/claim.mjs FOLDER PID PORT. Ends with status 1 and a message if
// another process uses the folder.

import { argv, exit } from "node:process";
import { claimStorage } from "../clients/typescript/src/cli/storage.ts";

const [folder, pid, port] = argv.slice(2);
await claimStorage(folder, { pid: Number(pid), port: Number(port) }, "choose another folder: make dev PORT=… STATE=folder").catch((error) => {
  console.error(`dev: ${error.message}`);
  exit(1);
});
