var builder = DistributedApplication.CreateBuilder(args);

var postgres = builder.AddPostgres("postgres").WithDataVolume();
var ordersDb = postgres.AddDatabase("ordersdb");
var paymentsDb = postgres.AddDatabase("paymentsdb");
var shipmentsDb = postgres.AddDatabase("shipmentsdb");
var notificationsDb = postgres.AddDatabase("notificationsdb");
var redis = builder.AddRedis("redis");
var messaging = builder.AddRabbitMQ("messaging").WithManagementPlugin().WithDataVolume();

// Kept between runs: the Sandbox repeats webhooks that a run before did not deliver.
var webhookSecret = builder.AddParameter("webhook-secret", new GenerateParameterDefault { MinLength = 32, Special = false }, secret: true, persist: true);

var sandbox = builder.AddProject<Projects.Commerce_Sandbox>("sandbox")
    .WithEndpoint(name: "smtp", scheme: "tcp", env: "SMTP_PORT")
    .WithEnvironment("Webhooks__Secret", webhookSecret)
    .WithHttpHealthCheck("/health", endpointName: "http");

if (builder.ExecutionContext.IsRunMode)
{
    var state = builder.Configuration["COMMERCE_STATE_DIR"] ?? Path.Combine(builder.AppHostDirectory, "..", ".local");
    sandbox.WithEnvironment("Sandbox__DataDirectory", Path.GetFullPath(Path.Combine(state, "sandbox")));
}
else
{
    // In a container of its own nothing reaches a mailbox on loopback, and this machine's folders mean nothing.
    sandbox.WithEnvironment("Sandbox__Smtp__Address", "0.0.0.0");
}

var orders = builder.AddProject<Projects.Orders>("orders")
    .WithReference(ordersDb).WaitFor(ordersDb)
    .WithReference(messaging).WaitFor(messaging)
    .WithHttpHealthCheck("/health", endpointName: "http");

var payments = builder.AddProject<Projects.Payments>("payments")
    .WithReference(paymentsDb).WaitFor(paymentsDb)
    .WithReference(messaging).WaitFor(messaging)
    .WithReference(orders)
    .WithReference(sandbox)
    .WithEnvironment("Webhooks__Secret", webhookSecret)
    .WithHttpHealthCheck("/health", endpointName: "http");

var shipments = builder.AddProject<Projects.Shipments>("shipments")
    .WithReference(shipmentsDb).WaitFor(shipmentsDb)
    .WithReference(messaging).WaitFor(messaging)
    .WithReference(orders)
    .WithReference(sandbox)
    .WithEnvironment("Webhooks__Secret", webhookSecret)
    .WithHttpHealthCheck("/health", endpointName: "http");

var notifications = builder.AddProject<Projects.Notifications>("notifications")
    .WithReference(notificationsDb).WaitFor(notificationsDb)
    .WithReference(messaging).WaitFor(messaging)
    .WithReference(orders)
    .WithReference(payments)
    .WithReference(sandbox)
    .WithEnvironment("Smtp__Endpoint", sandbox.GetEndpoint("smtp"))
    .WithHttpHealthCheck("/health", endpointName: "http");

builder.AddProject<Projects.Gateway>("gateway")
    .WithReference(redis).WaitFor(redis)
    .WithReference(messaging).WaitFor(messaging)
    .WithReference(orders).WaitFor(orders)
    .WithReference(payments).WaitFor(payments)
    .WithReference(shipments).WaitFor(shipments)
    .WaitFor(notifications)
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck("/health", endpointName: "http");

// Orders has the money of returned goods given back, and holds its parcels against those of Shipments, which has the money of lost
// ones given back; they wait for nobody.
orders.WithReference(payments).WithReference(shipments);
shipments.WithReference(payments);

// The outside world calls back, and waits for nobody.
sandbox.WithReference(payments).WithReference(shipments);

builder.Build().Run();
