var app = WebApplication.CreateBuilder(args).Build();
app.MapGet("/health", () => "healthy");
app.MapGet("/environment", () => Environment.GetEnvironmentVariables());
app.MapGet("/exit/{code:int}", (int code) =>
{
    // Not by a logger, whose queue may be lost at the end.
    Console.Error.WriteLine($"Ending with {code}, as asked");
    Environment.Exit(code);
});
app.Run();
