// A process that serves a local Cosmos DB: node main.ts <port> <file>
import { CosmosService } from "./service.ts";

const [port, file] = process.argv.slice(2);
await CosmosService.start({ port: Number(port), file: file! });
