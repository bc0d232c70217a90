import Database from "better-sqlite3";
const stats=new Map<string,{n:number,t:bigint}>();
const proto=Database.prototype as any; const orig=proto.prepare;
proto.prepare=function(sql:string){ const s=orig.call(this,sql); const st={n:0,t:0n}; stats.set(sql,st); for(const m of ["run","get","all"]){ const o=s[m].bind(s); (s as any)[m]=(...a:any[])=>{const t=process.hrtime.bigint(); try{return o(...a);} finally{st.t+=process.hrtime.bigint()-t; st.n++;}} } return s; };
process.on("exit",()=>{ for(const [sql,{n,t}] of [...stats].sort((a,b)=>Number(b[1].t-a[1].t)).slice(0,24)) console.log((Number(t)/n/1000).toFixed(2).padStart(7)+"µs", String(n).padStart(7), (Number(t)/1e6).toFixed(0).padStart(6)+"ms", sql.slice(0,110)); });
await import("./bench.tmp.ts");
