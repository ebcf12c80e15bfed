using Commerce.Gateway;
using Commerce.Gateway.OpenApi;
using Commerce.ServiceDefaults;

if (args is ["openapi"])
{
    // For who makes a client or lints it: the document that /openapi/v1.json serves, without starting anything.
    Console.Out.WriteLine(new ApiDescription().Json);
    return;
}

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("Gateway");
builder.AddGateway();

var app = builder.Build();
app.MapGateway();
await app.RunServiceAsync(args);
