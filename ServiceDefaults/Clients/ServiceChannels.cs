using System.Collections.Concurrent;
using System.Net;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ServiceDiscovery;

namespace Commerce.ServiceDefaults;

/// <summary>The channels to other services, one to each: all clients of a service share its connections.</summary>
internal sealed class ServiceChannels(ServiceEndpointResolver endpoints, IEnumerable<CalledService> called, ILoggerFactory loggers) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<GrpcChannel>> _channels = new(StringComparer.Ordinal);

    public GrpcChannel To(string service) => _channels.GetOrAdd(service, name => new Lazy<GrpcChannel>(() => Open(name))).Value;

    public void Dispose()
    {
        foreach (var channel in _channels.Values.Where(channel => channel.IsValueCreated))
            channel.Value.Dispose();
    }

    private GrpcChannel Open(string service)
    {
        var address = new Uri($"http://_grpc.{service}");
        return GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = new EndpointHandler(endpoints, address.OriginalString, ServiceClients.CreateHandler()),
            DisposeHttpClient = true,
            LoggerFactory = loggers,
            ServiceConfig = ServiceClients.RetriesOf(called.Where(one => one.Name == service).Select(one => one.Client)),
            MaxReceiveMessageSize = 4 * Limits.RequestBytes,
        });
    }

    /// <summary>
    /// Sends each request to one of a service's endpoints, in turns. What the handlers of HttpClient's factory do for it costs as much as a
    /// small call itself: here an address is made once for each method and endpoint. It is no DelegatingHandler, since a channel that knows what is
    /// behind one connects by itself, to an address that only discovery can read.
    /// </summary>
    private sealed class EndpointHandler(ServiceEndpointResolver endpoints, string service, HttpMessageHandler inner) : HttpMessageHandler
    {
        private readonly HttpMessageInvoker _inner = new(inner);
        private Found _found = new(null, []);
        private uint _turn;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var found = endpoints.GetEndpointsAsync(service, cancellationToken);
            return found.IsCompletedSuccessfully ? _inner.SendAsync(Address(request, found.Result), cancellationToken) : Await(request, found, cancellationToken);
        }

        protected override void Dispose(bool disposing)
        {
            _inner.Dispose();
            base.Dispose(disposing);
        }

        private async Task<HttpResponseMessage> Await(HttpRequestMessage request, ValueTask<ServiceEndpointSource> found, CancellationToken cancellationToken) =>
            await _inner.SendAsync(Address(request, await found), cancellationToken);

        private HttpRequestMessage Address(HttpRequestMessage request, ServiceEndpointSource source)
        {
            var found = Volatile.Read(ref _found);
            // The same until discovery finds others.
            if (!ReferenceEquals(found.Source, source))
                Volatile.Write(ref _found, found = new Found(source, [.. source.Endpoints.Select(one => new Endpoint(one.EndPoint, one.Features.Get<IHostNameFeature>()?.HostName))]));
            if (found.Endpoints.Length == 0)
                throw new HttpRequestException($"No endpoint of {service} is known.");
            var endpoint = found.Endpoints[Interlocked.Increment(ref _turn) % (uint)found.Endpoints.Length];
            request.RequestUri = endpoint.Address(request.RequestUri!);
            request.Headers.Host ??= endpoint.HostName;
            return request;
        }

        private sealed record Found(ServiceEndpointSource? Source, Endpoint[] Endpoints);
    }

    /// <summary>An endpoint, and the addresses of methods there.</summary>
    private sealed class Endpoint(EndPoint at, string? hostName)
    {
        // A channel has one address for each method, always the same object.
        private readonly ConcurrentDictionary<Uri, Uri> _addresses = new(ReferenceEqualityComparer.Instance);

        public string? HostName => hostName;

        public Uri Address(Uri method) => _addresses.TryGetValue(method, out var known) ? known : _addresses[method] = Make(method);

        private Uri Make(Uri method)
        {
            var address = new UriBuilder(method);
            switch (at)
            {
                case UriEndPoint { Uri: var uri }:
                    (address.Scheme, address.Host, address.Port) = (uri.Scheme, uri.Host, uri.Port);
                    if (uri.AbsolutePath.Length > 1)
                        address.Path = $"{uri.AbsolutePath.TrimEnd('/')}{method.AbsolutePath}";
                    break;
                case DnsEndPoint dns:
                    address.Host = dns.Host;
                    if (dns.Port > 0)
                        address.Port = dns.Port;
                    break;
                case IPEndPoint ip:
                    (address.Host, address.Port) = (ip.Address.ToString(), ip.Port);
                    break;
                default:
                    throw new NotSupportedException($"{at.GetType().Name} is no endpoint that can be called.");
            }

            return address.Uri;
        }
    }
}
