using Commerce.Payments;
using Commerce.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("Payments");
builder.AddPayments();

var app = builder.Build();
app.MapPayments();
await app.RunServiceAsync(args);
