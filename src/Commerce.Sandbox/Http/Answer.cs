namespace Commerce.Sandbox.Http;

/// <summary>What a mutating call answers: a status and finished JSON, because a repeated call gets the very same bytes.</summary>
internal sealed record Answer(int Status, byte[] Body, bool Repeated = false) : IResult
{
    public static Answer Created<T>(T body) => new(201, Json.Write(body));

    public static Answer Ok<T>(T body) => new(200, Json.Write(body));

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = Status;
        if (Repeated) httpContext.Response.Headers["Idempotent-Replayed"] = "true";
        if (Status == StatusCodes.Status204NoContent) return;
        httpContext.Response.ContentType = "application/json";
        httpContext.Response.ContentLength = Body.Length;
        await httpContext.Response.Body.WriteAsync(Body, httpContext.RequestAborted);
    }
}
