using Commerce.ServiceDefaults;
using Commerce.Shipments;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("Shipments");
builder.AddShipments();

var app = builder.Build();
app.MapShipments();
await app.RunServiceAsync(args);
