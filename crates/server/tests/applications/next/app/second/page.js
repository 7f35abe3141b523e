import { Suspense } from 'react';
export const dynamic = 'force-dynamic';
async function Late() { await new Promise((go) => setTimeout(go, 400)); return <p id="late">late</p>; }
export default function Page() { return <main><h1>Second</h1><Suspense fallback={<p id="wait">wait</p>}><Late /></Suspense></main>; }
