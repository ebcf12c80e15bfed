using Commerce.Gateway;
using Commerce.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("Gateway");
builder.AddGateway();

var app = builder.Build();
app.MapGateway();
await app.RunServiceAsync(args);
