import { sqlite } from "@perdure/storage-sqlite";
import { rmSync } from "node:fs";
const path = process.argv[2] ?? "/tmp/proto/bench.db";
for (const s of ["","-wal","-shm"]) rmSync(path+s,{force:true});
const b = sqlite({path, synchronous: (process.argv[3] ?? "full") as any});
await b.setup();
const med=(a:number[])=>a.toSorted((x,y)=>x-y)[a.length>>1]!;
let n=0;
const id=()=>crypto.randomUUID();
const newRun=()=>({runId:id(),incarnation:id(),workflow:"w",version:null,queue:"q",priority:0,startHash:"h",parent:null,parentClose:null,input:'{"i":1}',state:null,attributes:{},readyAt:null,deadlineAt:null,started:{type:"WORKFLOW_STARTED",command:null,at:1,data:"{}"}});
const holding:any[]=[];
const req=(limit:number)=>({workerId:"w1",workerInstance:"i1",holding,queues:["default","q"],kinds:["workflow","activity"] as const,handlers:{workflows:["w"],activities:["act"]},limit,leaseMs:30000,inlineEvents:100,overdue:true});
const data=JSON.stringify({name:"charge",input:{orderId:"o-123",amount:5},output:{ok:true}});
async function round(size:number){
  const runs=Array.from({length:size},newRun);
  const t:Record<string,number>={};
  let s=performance.now(); await b.createRuns(runs); t.create=performance.now()-s;
  s=performance.now(); const c=await b.claimTasks(req(size)); t.claim=performance.now()-s;
  for(const x of c.tasks) holding.push(x.claim.taskId);
  let seqs=1; t.hold=0;
  for(let k=0;k<4;k++){ 
    const commits=c.tasks.map(x=>({kind:"workflow" as const,claim:x.claim,commitId:id(),expectedSeq:seqs,events:[{type:"ACTIVITY_COMPLETED",command:k,at:1,data}],ackInbox:0,next:{do:"hold" as const}}));
    s=performance.now(); const r=await b.commitTasks(commits); t.hold+=(performance.now()-s)/4; if(r.some(x=>x.status!=="ok")) throw new Error(JSON.stringify(r.find(x=>x.status!=="ok")));
    seqs++;
  }
  const commits=c.tasks.map(x=>({kind:"workflow" as const,claim:x.claim,commitId:id(),expectedSeq:seqs,events:[{type:"ACTIVITY_COMPLETED",command:4,at:1,data},{type:"WORKFLOW_COMPLETED",command:null,at:1,data:"{}"}],ackInbox:0,close:{status:"completed" as const,output:"{}"},next:{do:"done" as const}}));
  s=performance.now(); await b.commitTasks(commits); t.done=performance.now()-s;
  holding.length=0;
  return t;
}
for (const size of [1,32,100,500]) {
  const acc:Record<string,number[]>={};
  for(let i=0;i<(size===1?400:size===500?20:60);i++){ const t=await round(size); if(i>=5) for(const k in t) (acc[k]??=[]).push(t[k]!); }
  console.log(String(size).padStart(4), Object.entries(acc).map(([k,v])=>`${k} ${med(v).toFixed(3)} ms (${(med(v)*1000/size).toFixed(2)} µs each)`).join("  "));
}
// W1 floor: 2000 runs, claims of 100
{
  const N=2000; for(let i=0;i<N;i+=500) await b.createRuns(Array.from({length:500},newRun));
  const s=performance.now();
  for(let i=0;i<N;i+=100){ const c=await b.claimTasks(req(100)); let q=1;
    for(let k=0;k<4;k++){ await b.commitTasks(c.tasks.map(x=>({kind:"workflow" as const,claim:x.claim,commitId:id(),expectedSeq:q,events:[{type:"ACTIVITY_COMPLETED",command:k,at:1,data}],ackInbox:0,next:{do:"hold" as const}}))); q++; }
    await b.commitTasks(c.tasks.map(x=>({kind:"workflow" as const,claim:x.claim,commitId:id(),expectedSeq:q,events:[{type:"ACTIVITY_COMPLETED",command:4,at:1,data},{type:"WORKFLOW_COMPLETED",command:null,at:1,data:"{}"}],ackInbox:0,close:{status:"completed" as const,output:"{}"},next:{do:"done" as const}}))); }
  const ms=performance.now()-s; console.log("W1 through the port:", (N/ms*1000).toFixed(0),"runs/s");
}
await b.close();
