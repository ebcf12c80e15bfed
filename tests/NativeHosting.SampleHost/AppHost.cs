var builder = DistributedApplication.CreateBuilder(args);

var database = builder.AddPostgres("postgres").WithDataVolume().AddDatabase("sampledb");
var redis = builder.AddRedis("redis");
var messaging = builder.AddRabbitMQ("messaging").WithManagementPlugin().WithDataVolume();
var secret = builder.AddParameter("sample-secret", new GenerateParameterDefault { MinLength = 32, Special = false }, secret: true, persist: true);

var other = builder.AddProject<Projects.NativeHosting_SampleService>("other")
    .WithEndpoint(name: "extra", scheme: "tcp", env: "EXTRA_PORT")
    .WithHttpHealthCheck("/health", endpointName: "http");

builder.AddProject<Projects.NativeHosting_SampleService>("sample")
    .WithReference(database).WaitFor(database)
    .WithReference(redis).WaitFor(redis)
    .WithReference(messaging).WaitFor(messaging)
    .WithReference(other).WaitFor(other)
    .WithEnvironment("SAMPLE_SECRET", secret)
    .WithEnvironment("SAMPLE_EXTRA", other.GetEndpoint("extra"))
    .WithEnvironment("SAMPLE_TEXT", "text")
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck("/health", endpointName: "http");

builder.Build().Run();
