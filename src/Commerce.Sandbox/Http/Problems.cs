using Microsoft.AspNetCore.Mvc;

namespace Commerce.Sandbox.Http;

/// <summary>Turns everything that goes wrong into an RFC 9457 problem; the one place that does.</summary>
internal sealed partial class Problems(RequestDelegate next, ILogger<Problems> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (Refusal refusal) when (!context.Response.HasStarted)
        {
            await WriteAsync(context, refusal);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await WriteAsync(context, new Refusal(e.StatusCode, "bad_request", e.Message));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller has gone; there is nobody to answer.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            Failed(logger, context.Request.Method, context.Request.Path, e);
            await WriteAsync(context, new Refusal(500, "internal", "The Sandbox itself failed; its log says why."));
        }
    }

    private static async Task WriteAsync(HttpContext context, Refusal refusal)
    {
        var problem = new ProblemDetails
        {
            Type = $"urn:commerce:sandbox:{refusal.Code}",
            Title = refusal.Code.Replace('_', ' '),
            Status = refusal.Status,
            Detail = refusal.Message,
            Extensions = { ["code"] = refusal.Code },
        };
        if (refusal.Errors.Count > 0) problem.Extensions["errors"] = refusal.Errors;
        context.Response.StatusCode = refusal.Status;
        await context.Response.WriteAsJsonAsync(problem, Json.Options, "application/problem+json");
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void Failed(ILogger logger, string method, string path, Exception error);
}
