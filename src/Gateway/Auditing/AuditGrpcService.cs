using Commerce.Gateway.V1;
using Commerce.ServiceDefaults;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Commerce.Gateway.Auditing;

/// <summary>commerce.gateway.v1.AuditService.</summary>
internal sealed class AuditGrpcService(AuditStore store) : AuditService.AuditServiceBase
{
    private const int DefaultOnPage = 50;
    private const int MostOnPage = 500;
    private const int LongestText = 256;

    public override async Task<SearchAuditEventsResponse> SearchAuditEvents(SearchAuditEventsRequest request, ServerCallContext context)
    {
        var (from, until) = Check(request);
        var size = request.PageSize == 0 ? DefaultOnPage : request.PageSize;
        var found = await store.Search(
            request.Principal, request.Resource, request.Person, request.Method, request.Result, from, until,
            PageToken.DecodeTimeAndId(request), size + 1, context.CancellationToken);
        var response = new SearchAuditEventsResponse { Events = { found.Take(size).Select(ToProto) } };
        if (found.Count > size)
            response.NextPageToken = PageToken.Encode(request, found[size - 1].Time, found[size - 1].Id);
        return response;
    }

    private static (DateTimeOffset? From, DateTimeOffset? Until) Check(SearchAuditEventsRequest request)
    {
        var errors = new List<FieldError>();
        if (request.PageSize is < 0 or > MostOnPage)
            errors.Add(new FieldError("page_size", $"Must be 0 (for {DefaultOnPage}) to {MostOnPage}."));
        foreach (var (field, text) in new[] { ("principal", request.Principal), ("resource", request.Resource), ("person", request.Person), ("method", request.Method), ("result", request.Result) })
        {
            if (text.Length > LongestText)
                errors.Add(new FieldError(field, $"Give at most {LongestText} characters."));
        }

        if (request.Person.Length > 0 && CallTrail.PersonOf(request.Person) is null)
            errors.Add(new FieldError("person", "Give an e-mail address or a phone number."));
        var (from, until) = (Time("time_from", request.TimeFrom), Time("time_until", request.TimeUntil));
        if (from >= until)
            errors.Add(new FieldError("time_until", "Must be later than time_from."));
        return errors.Count > 0 ? throw Failure.Invalid(errors) : (from, until);

        DateTimeOffset? Time(string field, Timestamp? time)
        {
            try
            {
                return time?.ToDateTimeOffset();
            }
            catch (InvalidOperationException)
            {
                errors.Add(new FieldError(field, "Is not a time between the years 1 and 9999."));
                return null;
            }
        }
    }

    public static AuditEvent ToProto(AuditRecord record) => new()
    {
        Time = Timestamp.FromDateTimeOffset(record.Time),
        Id = record.Id.ToString(),
        Principal = record.Principal,
        StoreIds = { record.Stores ?? [] },
        Method = record.Method,
        Resources = { record.Resources },
        Result = record.Result,
        TraceId = record.TraceId,
        Client = record.Client,
        CallCount = record.Calls,
        Took = Duration.FromTimeSpan(TimeSpan.FromMicroseconds(record.TookMicros)),
    };
}
