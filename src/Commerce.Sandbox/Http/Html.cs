using System.Net;

namespace Commerce.Sandbox.Http;

/// <summary>The frame of the Sandbox's pages: no script, no asset from elsewhere, everything encoded.</summary>
internal static class Html
{
    private const string Style = """
        :root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1d2330;--soft:#5d6677;--line:#e2e6ec;--accent:#2457d6;--good:#11734b;--bad:#b3261e;--chip:#eef1f6}
        @media(prefers-color-scheme:dark){:root{--bg:#12151b;--card:#1a1f28;--ink:#e8ebf1;--soft:#9aa4b5;--line:#2b323e;--accent:#8fb0ff;--good:#5fd0a0;--bad:#ff9a92;--chip:#252c38}}
        *{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
        header{background:var(--card);border-bottom:1px solid var(--line)}header>div,main{max-width:1080px;margin:0 auto;padding:14px 20px}
        header>div{display:flex;gap:20px;align-items:baseline;flex-wrap:wrap}header strong{font-size:17px}nav{display:flex;gap:16px}
        a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}h1{font-size:24px;margin:14px 0 4px}h2{font-size:16px;margin:0 0 10px}
        p{margin:0 0 12px}.soft{color:var(--soft)}.grid{display:grid;gap:14px;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));margin:16px 0}
        .card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px;margin:0 0 16px;overflow-x:auto}
        .grid .card{margin:0}.big{font-size:24px;font-weight:650;font-variant-numeric:tabular-nums}
        table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:7px 10px 7px 0;border-bottom:1px solid var(--line);vertical-align:top}
        tr:last-child td{border-bottom:0}th{color:var(--soft);font-weight:600;font-size:13px}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
        code,.mono{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
        pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;font:14px/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
        .chip{display:inline-block;background:var(--chip);border-radius:99px;padding:1px 9px;font-size:13px}.good{color:var(--good)}.bad{color:var(--bad)}
        iframe{width:100%;height:520px;border:1px solid var(--line);border-radius:8px;background:#fff}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
        .two{display:grid;gap:0 16px;grid-template-columns:repeat(auto-fit,minmax(320px,1fr))}
        """;

    public static string Encode(string? text) => WebUtility.HtmlEncode(text ?? "");

    public static IResult Page(HttpContext context, string title, string body)
    {
        // What a mail brings along must never run or call home, whatever a browser makes of it.
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        var page = $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Encode(title)} · Sandbox</title><style>{Style}</style></head>
            <body><header><div><strong>Sandbox</strong><nav aria-label="Pages"><a href="/">Overview</a><a href="/mailbox">Mailbox</a></nav></div></header>
            <main>{body}</main></body></html>
            """;
        return Results.Text(page, "text/html; charset=utf-8");
    }
}
