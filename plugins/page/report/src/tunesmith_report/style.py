"""The report's look, in light and dark; everything in the page itself."""

CSS = """
:root{color-scheme:light dark;--ink:#1d2127;--muted:#646d78;--line:#e2e5e9;--paper:#fff;--panel:#f6f7f9;--accent:#b3541e;
--soft:#f3dfd2;--good:#1a7a48;--good-soft:#dff1e6;--bad:#bf3a2b;--bad-soft:#f8e2df;--cool:#3a6ea5;--cool-soft:#e2ebf5}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--muted:#98a2ad;--line:#2d343c;--paper:#14171b;--panel:#1b1f25;--accent:#f0a067;
--soft:#43301f;--good:#62c98f;--good-soft:#17382a;--bad:#f0877a;--bad-soft:#452521;--cool:#86b4e6;--cool-soft:#1f3146}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;
-webkit-text-size-adjust:100%}
main{max-width:1080px;margin:0 auto;padding:2.2rem 1.4rem 4rem}
header{border-bottom:1px solid var(--line);padding-bottom:1.4rem;margin-bottom:1.6rem}
h1{font-size:2rem;line-height:1.2;margin:0 0 .35rem;letter-spacing:-.02em}
h2{font-size:1.22rem;margin:2.8rem 0 .9rem;letter-spacing:-.01em}
h2 small,h3 small{font-weight:400;color:var(--muted);font-size:.82em;margin-left:.5em}
h3{font-size:1rem;margin:1.4rem 0 .5rem}
p{margin:.4rem 0}.muted{color:var(--muted)}
code,pre,.mono{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.86em}
.badge{display:inline-block;border-radius:99px;padding:.1em .7em;font-size:.8rem;font-weight:600;white-space:nowrap;background:var(--panel);
color:var(--muted)}
.badge.done{background:var(--good-soft);color:var(--good)}.badge.failed{background:var(--bad-soft);color:var(--bad)}
.badge.cached{background:var(--cool-soft);color:var(--cool)}h1 .badge{vertical-align:.35em;margin-left:.6rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:.8rem;margin:1.4rem 0 0}
.tile{background:var(--panel);border-radius:10px;padding:.85rem 1rem}
.tile b{display:block;font-size:1.35rem;line-height:1.25;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
.tile span{color:var(--muted);font-size:.85rem}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:10px}
table{border-collapse:collapse;width:100%;font-size:.93rem}
th,td{padding:.6rem .9rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead th{border-top:0;background:var(--panel);font-size:.82rem;color:var(--muted);font-weight:600;white-space:nowrap}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td .sub{display:block;color:var(--muted);font-size:.82rem}
.best{font-weight:700}td .up{color:var(--good)}td .down{color:var(--bad)}
.bar{height:5px;margin-left:auto;border-radius:3px;background:var(--accent);margin-top:.35rem;min-width:2px}.bar.cold{background:var(--line)}
.sizes div{display:grid;grid-template-columns:16rem 1fr 5rem;gap:.2rem 1rem;align-items:center;font-size:.93rem;margin:.5rem 0}
.sizes i{display:block;height:14px;border-radius:4px;background:var(--accent);opacity:.85}.hand{display:none}
.gate{display:flex;gap:.6rem;align-items:baseline;margin:.5rem 0 0;font-size:.93rem}
.yes{color:var(--good);font-weight:700}.no{color:var(--bad);font-weight:700}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(400px,100%),1fr));gap:1rem}.charts .wide{grid-column:1/-1}
figure{margin:0;border:1px solid var(--line);border-radius:10px;padding:.9rem 1rem .6rem}
figcaption{font-weight:600;font-size:.93rem}figcaption span{color:var(--muted);font-weight:400}
svg{display:block;width:100%;height:auto;margin-top:.3rem;overflow:visible}
svg text{fill:var(--muted);font-size:12px}svg .grid{stroke:var(--line)}svg .axis{stroke:var(--muted)}
svg .raw{fill:none;stroke:var(--accent);stroke-width:1;opacity:.35}svg .line{fill:none;stroke:var(--accent);stroke-width:2;
stroke-linejoin:round}svg .dot{fill:var(--accent)}svg .lost{stroke:var(--bad);stroke-width:2}svg .label{font-weight:600}
.samples td{min-width:10rem;overflow-wrap:anywhere;white-space:pre-wrap}
dl{margin:0}dt{font-weight:600;margin-top:.8rem}dd{margin:.1rem 0 0;color:var(--muted)}
dl.env{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.4rem}dl.env dt,dl.env dd{margin:0;font-size:.93rem}
dl.env dd{color:var(--ink);overflow-wrap:anywhere}
pre{background:var(--panel);border-radius:10px;padding:1rem 1.1rem;overflow-x:auto;line-height:1.5;margin:0}
.trouble{background:var(--bad-soft);border-radius:10px;padding:1rem 1.2rem;margin-top:1.4rem}.trouble b{color:var(--bad)}
footer{margin-top:3rem;color:var(--muted);font-size:.85rem}
@media (max-width:620px){main{padding:1.4rem 1rem 3rem}h1{font-size:1.5rem}svg text{font-size:17px}
.charts{grid-template-columns:1fr}th,td{padding:.5rem .65rem}.sizes div{grid-template-columns:1fr max-content}.sizes i{grid-column:1/-1;
grid-row:2}.desk{display:none}.hand{display:block}dl.env{grid-template-columns:1fr}dl.env dd{margin-bottom:.5rem}}
@media print{.scroll,figure{break-inside:avoid}}
"""
