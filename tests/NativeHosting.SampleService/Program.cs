var app = WebApplication.CreateBuilder(args).Build();
app.MapGet("/health", () => "healthy");
app.MapGet("/environment", () => Environment.GetEnvironmentVariables());
app.MapGet("/exit/{code:int}", (int code, ILogger<Program> logger) =>
{
    logger.LogError("Ending with {Code}, as asked", code);
    Environment.Exit(code);
});
app.Run();
