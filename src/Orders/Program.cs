using Commerce.Orders;
using Commerce.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("Orders");
builder.AddOrders();

var app = builder.Build();
app.MapOrders();
await app.RunServiceAsync(args);
