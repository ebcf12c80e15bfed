using Commerce.ServiceDefaults;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.ReferenceData;
using Commerce.Shipments.V1;
using Commerce.Shipping.Csv;
using Commerce.Shipping.Postal;
using Grpc.Core;
using Npgsql;
using NpgsqlTypes;

namespace Commerce.Shipments.Serviceability;

/// <summary>Stores which postal codes a carrier serves: a list counts as a whole, or nothing of it does.</summary>
internal sealed class UploadServiceability(NpgsqlDataSource database, ReferenceBook book, CarrierDirectory carriers, TimeProvider time)
{
    private const long MostBytes = 200_000_000;

    /// <exception cref="Failure">CARRIER_NOT_FOUND, INVALID_FIELD.</exception>
    public async Task<UploadServiceabilityResponse> Upload(IAsyncStreamReader<UploadServiceabilityRequest> stream, string actor, CancellationToken cancellationToken)
    {
        var (carrier, country) = ("", "");
        await using var file = await SpooledUpload.Take(
            stream,
            request =>
            {
                if (carrier.Length == 0)
                {
                    carrier = carriers.Get(request.Carrier).Code;
                    country = request.RegionCode.ToUpperInvariant();
                    if (country.Length > 0 && !PostalFormats.IsCountry(country))
                        throw Failure.Invalid(new FieldError("region_code", "Is not an ISO 3166 country; give a code such as IN, or none and a column country_code."));
                }

                return request.Csv;
            },
            "csv", MostBytes, cancellationToken);
        CarrierListResult list;
        try
        {
            list = await CarrierListFile.Read(file.Content, (await book.Get(cancellationToken)).Postal, country, cancellationToken);
        }
        catch (UnreadableFileException exception)
        {
            throw Failure.Invalid(new FieldError("csv", exception.Message));
        }

        var response = new UploadServiceabilityResponse
        {
            Lines = list.Lines,
            ProblemCount = list.Wrong,
            Problems = { list.Problems.Select(Problem) },
            OddityCount = list.Odd,
            Oddities = { list.Oddities.Select(Problem) },
        };
        if (list.Wrong > 0)
            return response;
        (response.Version, response.Unchanged) = await Store(carrier, file.Hash, list.Rows, actor, cancellationToken);
        await book.Refresh(cancellationToken);
        return response;
    }

    /// <summary>Reads a version as it was stored.</summary>
    public static async Task<VersionedList> Read(NpgsqlDataSource database, string carrier, long version, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT uploaded_at FROM carrier_lists WHERE carrier = $1 AND version = $2") { Parameters = { Text(carrier), Number(version) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT country, first_code, last_code, services FROM carrier_list_lines WHERE carrier = $1 AND version = $2") { Parameters = { Text(carrier), Number(version) } });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var uploadedAt = await reader.ReadAsync(cancellationToken) ? reader.GetFieldValue<DateTimeOffset>(0) : default;
        await reader.NextResultAsync(cancellationToken);
        var (rows, countries) = (new List<CarrierListRow>(), new Dictionary<string, string>(StringComparer.Ordinal));
        while (await reader.ReadAsync(cancellationToken))
        {
            // One string a country, and not one a line.
            var country = reader.GetString(0);
            if (!countries.TryGetValue(country, out var same))
                countries[country] = same = country;
            rows.Add(new CarrierListRow(same, (ulong)reader.GetInt64(1), (ulong)reader.GetInt64(2), (CarrierServices)reader.GetInt16(3)));
        }

        return new VersionedList(new CarrierList(rows), version, uploadedAt);
    }

    private async Task<(long Version, bool Unchanged)> Store(string carrier, byte[] hash, IReadOnlyList<CarrierListRow> rows, string actor, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Two uploads for one carrier come one after the other.
        await using var batch = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("SELECT pg_advisory_xact_lock(hashtextextended('serviceability/' || $1, 0))") { Parameters = { Text(carrier) } },
                new NpgsqlBatchCommand("SELECT version, content_hash FROM carrier_lists WHERE carrier = $1 ORDER BY version DESC LIMIT 1") { Parameters = { Text(carrier) } },
            },
        };
        long before = 0;
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            await reader.NextResultAsync(cancellationToken);
            if (await reader.ReadAsync(cancellationToken))
            {
                before = reader.GetInt64(0);
                if (reader.GetFieldValue<byte[]>(1).AsSpan().SequenceEqual(hash))
                    return (before, true);
            }
        }

        var version = before + 1;
        await using (var insert = new NpgsqlCommand("INSERT INTO carrier_lists (carrier, version, content_hash, lines, uploaded_at, uploaded_by) VALUES ($1, $2, $3, $4, $5, $6)", connection, transaction))
        {
            insert.Parameters.AddRange((NpgsqlParameter[])
            [
                Text(carrier), Number(version), new NpgsqlParameter<byte[]> { TypedValue = hash }, new NpgsqlParameter<int> { TypedValue = rows.Count },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() }, Text(actor)]);
            await insert.ExecuteNonQueryAsync(cancellationToken);
        }

        await using (var copy = await connection.BeginBinaryImportAsync("COPY carrier_list_lines (carrier, version, country, first_code, last_code, services) FROM STDIN (FORMAT BINARY)", cancellationToken))
        {
            foreach (var row in rows)
            {
                await copy.StartRowAsync(cancellationToken);
                await copy.WriteAsync(carrier, NpgsqlDbType.Text, cancellationToken);
                await copy.WriteAsync(version, NpgsqlDbType.Bigint, cancellationToken);
                await copy.WriteAsync(row.Country, NpgsqlDbType.Text, cancellationToken);
                await copy.WriteAsync((long)row.First, NpgsqlDbType.Bigint, cancellationToken);
                await copy.WriteAsync((long)row.Last, NpgsqlDbType.Bigint, cancellationToken);
                await copy.WriteAsync((short)row.Services, NpgsqlDbType.Smallint, cancellationToken);
            }

            await copy.CompleteAsync(cancellationToken);
        }

        // The list before stays to be compared with; of older ones it is enough to know that they were.
        await using (var forget = new NpgsqlCommand("DELETE FROM carrier_list_lines WHERE carrier = $1 AND version < $2", connection, transaction))
        {
            forget.Parameters.AddRange((NpgsqlParameter[])[Text(carrier), Number(before)]);
            await forget.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return (version, false);
    }

    private static V1.FileProblem Problem(Shipping.Postal.FileProblem problem) => new() { Line = problem.Line, Column = problem.Column, Value = problem.Value, Message = problem.Message };

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };

    private static NpgsqlParameter<long> Number(long value) => new() { TypedValue = value };
}
