using Commerce.ServiceDefaults;
using Commerce.Shipments.ReferenceData;
using Commerce.Shipments.V1;
using Commerce.Shipping.Csv;
using Commerce.Shipping.Postal;
using Grpc.Core;
using Npgsql;

namespace Commerce.Shipments.Serviceability;

/// <summary>Stores a public list of postal codes, a packed row a country.</summary>
internal sealed class LoadPostalCodes(NpgsqlDataSource database, ReferenceBook book, TimeProvider time)
{
    private const long MostBytes = 300_000_000;

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public async Task<LoadPostalCodesResponse> Load(IAsyncStreamReader<LoadPostalCodesRequest> stream, CancellationToken cancellationToken)
    {
        PostalSource? source = null;
        await using var file = await SpooledUpload.Take(
            stream,
            request =>
            {
                source ??= request.Source switch
                {
                    LoadPostalCodesRequest.Types.Source.Geonames => PostalSource.GeoNames,
                    LoadPostalCodesRequest.Types.Source.India => PostalSource.India,
                    _ => throw Failure.Invalid(new FieldError("source", "Say whose list it is: SOURCE_GEONAMES or SOURCE_INDIA.")),
                };
                return request.Data;
            },
            "data", MostBytes, cancellationToken);
        PostalFileResult result;
        try
        {
            result = await PostalFiles.Read(source!.Value, file.Content, cancellationToken);
        }
        catch (UnreadableFileException exception)
        {
            throw Failure.Invalid(new FieldError("data", exception.Message));
        }

        if (result.Tables.Count == 0)
            throw Failure.Invalid(new FieldError("data", $"None of its {result.Rows} lines is a postal code{(result.Examples.Count > 0 ? $": {result.Examples[0]}" : "")}."));
        await Store(source.Value, result.Tables, cancellationToken);
        await book.Refresh(cancellationToken);
        return new LoadPostalCodesResponse
        {
            Lines = result.Rows,
            Skipped = result.Skipped,
            Examples = { result.Examples },
            Countries = { result.Tables.OrderBy(table => table.Country, StringComparer.Ordinal).Select(table => new LoadPostalCodesResponse.Types.Country { RegionCode = table.Country, Codes = table.Count }) },
        };
    }

    /// <summary>Reads tables as they were stored.</summary>
    public static async Task<IReadOnlyList<PostalTable>> Read(NpgsqlDataSource database, string[] countries, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT data FROM postal_tables WHERE country = ANY ($1)");
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = countries });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var tables = new List<PostalTable>();
        while (await reader.ReadAsync(cancellationToken))
            tables.Add(PostalTable.FromBytes(reader.GetFieldValue<byte[]>(0)));
        return tables;
    }

    private async Task Store(PostalSource source, IReadOnlyList<PostalTable> tables, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        // In one order, so that two files at once do not wait for each other.
        foreach (var table in tables.OrderBy(table => table.Country, StringComparer.Ordinal))
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(
                """
                INSERT INTO postal_tables AS t (country, version, source, codes, data, loaded_at) VALUES ($1, 1, $2, $3, $4, $5)
                ON CONFLICT (country) DO UPDATE SET version = t.version + 1, source = $2, codes = $3, data = $4, loaded_at = $5
                """)
            {
                Parameters =
                {
                    new NpgsqlParameter<string> { TypedValue = table.Country },
                    new NpgsqlParameter<string> { TypedValue = source.ToString().ToLowerInvariant() },
                    new NpgsqlParameter<int> { TypedValue = table.Count },
                    new NpgsqlParameter<byte[]> { TypedValue = table.ToBytes() },
                    new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() },
                },
            });
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
