var builder = DistributedApplication.CreateBuilder(args);

var postgres = builder.AddPostgres("postgres").WithDataVolume();
var ordersDb = postgres.AddDatabase("ordersdb");
var paymentsDb = postgres.AddDatabase("paymentsdb");
var shipmentsDb = postgres.AddDatabase("shipmentsdb");
var gatewayDb = postgres.AddDatabase("gatewaydb");
var notificationsDb = postgres.AddDatabase("notificationsdb");
var redis = builder.AddRedis("redis");
var messaging = builder.AddRabbitMQ("messaging").WithManagementPlugin().WithDataVolume();

// Kept between runs: the Sandbox repeats webhooks that a run before did not deliver.
var webhookSecret = builder.AddParameter("webhook-secret", new GenerateParameterDefault { MinLength = 32, Special = false }, secret: true, persist: true);

var sandbox = builder.AddProject<Projects.Commerce_Sandbox>("sandbox")
    .WithEndpoint(name: "smtp", scheme: "tcp", env: "SMTP_PORT")
    .WithEnvironment("Webhooks__Secret", webhookSecret)
    .WithHttpHealthCheck("/health", endpointName: "http");

var state = Path.GetFullPath(builder.Configuration["COMMERCE_STATE_DIR"] ?? Path.Combine(builder.AppHostDirectory, "..", ".local"));
if (builder.ExecutionContext.IsRunMode)
{
    sandbox.WithEnvironment("Sandbox__DataDirectory", Path.Combine(state, "sandbox"));
}
else
{
    // In a container of its own nothing reaches a mailbox on loopback, and this machine's folders mean nothing.
    sandbox.WithEnvironment("Sandbox__Smtp__Address", "0.0.0.0");
}

var orders = WithDatabase(builder.AddProject<Projects.Orders>("orders"), ordersDb)
    .WithReference(messaging).WaitFor(messaging)
    .WithHttpHealthCheck("/health", endpointName: "http");

var payments = WithDatabase(builder.AddProject<Projects.Payments>("payments"), paymentsDb)
    .WithReference(messaging).WaitFor(messaging)
    .WithReference(orders)
    .WithReference(sandbox)
    .WithEnvironment("Webhooks__Secret", webhookSecret)
    .WithHttpHealthCheck("/health", endpointName: "http");

var shipments = WithDatabase(builder.AddProject<Projects.Shipments>("shipments"), shipmentsDb)
    .WithReference(messaging).WaitFor(messaging)
    .WithReference(orders)
    .WithReference(sandbox)
    .WithEnvironment("Webhooks__Secret", webhookSecret)
    .WithHttpHealthCheck("/health", endpointName: "http");

var notifications = WithDatabase(builder.AddProject<Projects.Notifications>("notifications"), notificationsDb)
    .WithReference(messaging).WaitFor(messaging)
    .WithReference(orders)
    .WithReference(payments)
    .WithReference(sandbox)
    .WithEnvironment("Smtp__Endpoint", sandbox.GetEndpoint("smtp"))
    .WithHttpHealthCheck("/health", endpointName: "http");

var gateway = WithDatabase(builder.AddProject<Projects.Gateway>("gateway"), gatewayDb)
    .WithReference(redis).WaitFor(redis)
    .WithReference(messaging).WaitFor(messaging)
    .WithReference(orders).WaitFor(orders)
    .WithReference(payments).WaitFor(payments)
    .WithReference(shipments).WaitFor(shipments)
    .WithReference(notifications).WaitFor(notifications)
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck("/health", endpointName: "http");

// Orders has the money of returned goods given back, and holds its parcels against those of Shipments, which has the money of lost
// ones given back; they wait for nobody.
orders.WithReference(payments).WithReference(shipments);
shipments.WithReference(payments);

// Who calls whom: each pair has a secret that no other service knows.
foreach (var service in new[] { orders, payments, shipments, notifications })
    MayCall(gateway, service);
MayCall(orders, payments);
MayCall(orders, shipments);
MayCall(payments, orders);
MayCall(shipments, orders);
MayCall(shipments, payments);
MayCall(notifications, orders);
MayCall(notifications, payments);

// The links in messages by which shoppers open their orders: Notifications signs them and the Gateway reads them. Sessions are the
// Gateway's alone.
var linkKey = builder.AddParameter("shopper-links", new GenerateParameterDefault { MinLength = 48, Special = false }, secret: true, persist: true);
var sessionKey = builder.AddParameter("shopper-sessions", new GenerateParameterDefault { MinLength = 48, Special = false }, secret: true, persist: true);
notifications.WithEnvironment("Shoppers__LinkKey", linkKey);
gateway.WithEnvironment("Shoppers__LinkKey", linkKey).WithEnvironment("Shoppers__SessionKey", sessionKey);

// In development the outside world signs staff in, whoever they are; where the suite is deployed, its issuers are configured.
if (builder.ExecutionContext.IsRunMode)
{
    gateway.WithReference(sandbox)
        .WithEnvironment("Access__Issuers__0__Authority", "http://_http.sandbox/oidc")
        .WithEnvironment("Access__Issuers__0__Name", "urn:commerce:sandbox")
        .WithEnvironment("Access__Issuers__0__Audience", "commerce")
        // A laptop has other things to do, which is no overload.
        .WithEnvironment("Gateway__Limits__ShedAfter", "00:00:00.100")
        // Where the audit log's entries wait while its database is away.
        .WithEnvironment("Audit__Folder", Path.Combine(state, "audit"));
    // Where it is deployed, the address of the shop's tracking page is configured.
    notifications.WithEnvironment("Shoppers__LinkAddress", $"{gateway.GetEndpoint("http").Property(EndpointProperty.Url)}/v1/track/links/");
}

// The outside world calls back, and waits for nobody.
sandbox.WithReference(payments).WithReference(shipments);

builder.Build().Run();

void MayCall(IResourceBuilder<ProjectResource> caller, IResourceBuilder<ProjectResource> called)
{
    var (from, to) = (caller.Resource.Name, called.Resource.Name);
    var secret = builder.AddParameter($"access-{from}-{to}", new GenerateParameterDefault { MinLength = 48, Special = false }, secret: true, persist: true);
    caller.WithEnvironment($"Access__Services__{to}", secret);
    called.WithEnvironment($"Access__Callers__{from}", secret);
}

// A service migrates its database with the server's login, and works with one of its own, which its migrations make: that can
// neither change the schema nor rewrite what only grows.
IResourceBuilder<ProjectResource> WithDatabase(IResourceBuilder<ProjectResource> service, IResourceBuilder<PostgresDatabaseResource> database)
{
    var (login, name, server) = (service.Resource.Name, database.Resource.Name, postgres.Resource.PrimaryEndpoint);
    var password = builder.AddParameter($"{login}-db-password", new GenerateParameterDefault { MinLength = 32, Special = false }, secret: true, persist: true);
    return service
        .WithReference(database, connectionName: $"{name}_migrator").WaitFor(database)
        .WithEnvironment(
            $"ConnectionStrings__{name}",
            $"Host={server.Property(EndpointProperty.Host)};Port={server.Property(EndpointProperty.Port)};Username={login};Password={password};Database={database.Resource.DatabaseName}");
}
