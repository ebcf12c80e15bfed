using Commerce.Notifications;
using Commerce.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("Notifications");
builder.AddNotifications();

var app = builder.Build();
app.MapNotifications();
await app.RunServiceAsync(args);
