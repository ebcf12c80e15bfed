using System.Globalization;
using System.Security.Cryptography;
using Commerce.Messaging;
using Commerce.Payments.Ledger;
using Commerce.Payments.Settling;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using CsCheck;
using Google.Protobuf;

namespace Commerce.Payments.Tests;

public sealed class SettlementTests(DriverHarness harness) : IClassFixture<DriverHarness>
{
    private const string Header = "id,type,currency,amount,fee,tax,reference,authorization_id,payout_id,occurred_at\n";

    private readonly FakeProvider _provider = new();
    private readonly string _mark = Guid.NewGuid().ToString("N")[..8];

    [Fact]
    public async Task Costs_chargebacks_and_payouts_are_posted_once_however_often_the_file_comes()
    {
        var payment = await Paid(1000);
        await payment.Refund(300);
        await payment.Settle();
        var file = Header
            + Line("ch", "charge", "10.00", payment.OrderId + "/1", fee: "0.39", tax: "0.07")
            + Line("re", "refund", "3.00", payment.OrderId + "/1/1")
            + Line("fee", "fee", "2.00", "")
            + Line("cb", "chargeback", "5.00", payment.OrderId + "/1", fee: "15.00")
            + Line("won", "chargeback_reversed", "5.00", payment.OrderId + "/1")
            + Line("po", "payout", "4.00", "");
        var first = await harness.Import(file, store: "main");
        Assert.Equal((6, 0, 0), (first.Imported, first.Unchanged, first.Refused));
        var again = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => harness.Import(file)));
        Assert.All(again, a => Assert.Equal((0, 6, 0), (a.Imported, a.Unchanged, a.Refused)));

        var ledger = new LedgerStore(harness.Database);
        async Task<string> Posted(string id) => string.Join(
            ", ", (await ledger.Of($"settlement/fake/{id}{_mark}", CancellationToken.None)).Select(e => string.Create(CultureInfo.InvariantCulture, $"{e.AccountKind} {e.Amount.Minor}")));
        Assert.Equal("ProviderFees 39, Taxes 7, ProviderClearing -46", await Posted("ch"));
        Assert.Equal("", await Posted("re"));
        Assert.Equal("ProviderFees 200, ProviderClearing -200", await Posted("fee"));
        Assert.Equal("Chargebacks 500, ProviderFees 1500, ProviderClearing -2000", await Posted("cb"));
        Assert.Equal("Chargebacks -500, ProviderClearing 500", await Posted("won"));
        Assert.Equal("Bank 400, ProviderClearing -400", await Posted("po"));
    }

    [Fact]
    public async Task Broken_lines_are_told_with_their_numbers_and_the_good_ones_count()
    {
        var (payment, other) = (await Paid(1000), await harness.Begin(_provider));
        var (long1, at) = (new string('x', 20_000), TimeProvider.System.GetUtcNow());
        var file = "\uFEFF" + Header.TrimEnd('\n') + "\r\n"
            + Line("a", "charge", "10.00", payment.OrderId + "/1", at: at)                       // 2
            + Line("b", "gift", "1.00", "x/1")                                          // 3
            + Line("c", "fee", "-1.00", "")                                             // 4
            + Line("d", "fee", "1.005", "")                                             // 5
            + Line("e", "fee", "0.00", "")                                              // 6
            + Line("f", "fee", "99999999999999999999", "")                              // 7
            + Line("g", "charge", "1.00", "")                                           // 8
            + Line("a", "charge", "10.01", payment.OrderId + "/1", at: at)                      // 9
            + Line("a", "charge", "10.00", payment.OrderId + "/1", at: at)                      // 10: the same again
            + Line("h", "charge", "10.00", payment.OrderId + "/1", currency: "EUR")      // 11
            + Line("i", "fee", "1.00", "", currency: "XXX")                             // 12
            + $"j{_mark},fee,BRL,1.00,,,,,,yesterday\n"                                  // 13
            + $"k{_mark},fee\n"                                                          // 14
            + "\n"                                                                      // 15: nothing
            + $"l{_mark},fee,BRL,1.00,,,\"a \"\"quoted\"\", reference\nover two lines\",,,2026-01-02T03:04:05Z\n" // 16
            + $"{long1},fee,BRL,1.00,,,,,,2026-01-02\n"                                  // 18
            + $"m{_mark},fee,BRL,1.00,,,\"never closed,,,2026-01-02";                    // 19
        var imported = await harness.Import(file);
        Assert.Equal((2, 1), (imported.Imported, imported.Unchanged));
        Assert.Equal([3L, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 18, 19], imported.Errors.Select(e => e.LineNumber).Order());
        Assert.Equal(13, imported.Refused);
        Assert.StartsWith("type:", imported.Errors.Single(e => e.LineNumber == 3).Message, StringComparison.Ordinal);
        Assert.StartsWith("amount:", imported.Errors.Single(e => e.LineNumber == 5).Message, StringComparison.Ordinal);
        Assert.Contains("other contents", imported.Errors.Single(e => e.LineNumber == 9).Message, StringComparison.Ordinal);
        Assert.Contains("BRL", imported.Errors.Single(e => e.LineNumber == 11).Message, StringComparison.Ordinal);
        Assert.Contains("currency:", imported.Errors.Single(e => e.LineNumber == 12).Message, StringComparison.Ordinal);
        Assert.Contains("store \"main\"", Assert.Single((await harness.Import(Header + Line("z", "charge", "1.00", payment.OrderId + "/1"), store: "other")).Errors).Message, StringComparison.Ordinal);

        foreach (var nonsense in new[] { "", "id,type\n1,fee\n", "\n\n", long1 })
            Assert.Equal(ErrorReason.InvalidField, (await Assert.ThrowsAsync<Failure>(() => harness.Import(nonsense))).Reason);
        Assert.Equal(ErrorReason.InvalidField, (await Assert.ThrowsAsync<Failure>(() => harness.Import(Header, store: ""))).Reason);
        Assert.Equal(0, (await harness.Import(Header)).Imported);
        Assert.NotNull(other);
    }

    [Fact]
    public void A_file_reads_the_same_wherever_it_is_cut()
    {
        const string file = "id,note\r\n1,\"a, \"\"b\"\"\nc\"\n\n2,ação\n3,";
        List<string> Cut(int size)
        {
            var csv = new SettlementCsv();
            var records = new List<string>();
            foreach (var chunk in System.Text.Encoding.UTF8.GetBytes(file).Chunk(size))
                records.AddRange(csv.Read(chunk, last: false).Select(Text));
            records.AddRange(csv.Read(ReadOnlyMemory<byte>.Empty, last: true).Select(Text));
            return records;
        }

        static string Text((long Line, IReadOnlyList<string>? Fields) record) => string.Create(CultureInfo.InvariantCulture, $"{record.Line}: {string.Join('|', record.Fields ?? ["?"])}");
        Assert.Equal(["1: id|note", "2: 1|a, \"b\"\nc", "5: 2|ação", "6: 3|"], Cut(1));
        for (var size = 2; size < 60; size++)
            Assert.Equal(Cut(1), Cut(size));
    }

    [Fact]
    public void Whatever_bytes_come_no_record_is_lost_or_fails()
    {
        Gen.Byte.Array[0, 300].Sample(bytes =>
        {
            var csv = new SettlementCsv();
            var reader = new SettlementReader();
            Assert.Null(reader.Header(["id", "type", "currency", "amount", "occurred_at"]));
            var read = csv.Read(bytes, last: true).ToList();
            foreach (var (_, fields) in read.Where(r => r.Fields is not null))
                reader.Line(fields!, TimeProvider.System.GetUtcNow());
            Assert.True(read.Zip(read.Skip(1)).All(pair => pair.First.Line < pair.Second.Line));
        });
    }

    [Fact]
    public async Task The_books_are_compared_part_by_part_and_each_difference_has_its_name()
    {
        // A store of its own, so that nothing else is in its books.
        var store = "s" + _mark;
        var (good, missing, differs, doubled) = (await Paid(1000, store), await Paid(2000, store), await Paid(3000, store), await Paid(4000, store));
        await good.Refund(250);
        await good.Settle();
        await differs.Refund(100);
        await differs.Settle();
        var stranger = OrderId.New("ORD", TimeProvider.System).ToString();
        var now = TimeProvider.System.GetUtcNow();
        await harness.Import(
            Header
            + Line("1", "charge", "6.00", good.OrderId + "/1", fee: "0.33")
            + Line("2", "charge", "4.00", good.OrderId + "/1")
            + Line("3", "refund", "2.50", good.OrderId + "/1/1")
            + Line("4", "charge", "29.00", differs.OrderId + "/1")
            + Line("5", "charge", "40.00", doubled.OrderId + "/1")
            + Line("6", "charge", "40.00", doubled.OrderId + "/1")
            + Line("7", "charge", "7.77", stranger + "/1", at: now.AddSeconds(5))
            + Line("8", "payout", "1.00", ""),
            store);
        var inTransit = await Paid(5000, store);

        var found = await harness.Reconcile.Differences(store, "fake", now.AddHours(-1), now.AddHours(1), 100, CancellationToken.None);
        Assert.Equal(
            [
                (DifferenceKind.MissingHere, SettlementType.Charge, stranger, 0L, 777L),
                (DifferenceKind.MissingThere, SettlementType.Charge, missing.OrderId, 2000L, 0L),
                (DifferenceKind.MissingThere, SettlementType.Refund, differs.OrderId, 100L, 0L),
                (DifferenceKind.AmountDiffers, SettlementType.Charge, differs.OrderId, 3000L, 2900L),
                (DifferenceKind.Doubled, SettlementType.Charge, doubled.OrderId, 4000L, 8000L),
            ],
            found.Where(d => !d.Part.StartsWith(inTransit.OrderId, StringComparison.Ordinal)).Select(d => (d.Kind, d.Type, d.Part.Split('/')[0], d.Ours, d.Theirs)).OrderBy(d => d.Kind).ThenBy(d => d.Type));
        var sums = Assert.Single(await harness.Reconcile.Sums(store, "fake", now.AddHours(-1), now.AddHours(1), CancellationToken.None));
        Assert.Equal((2L, 6L, 33, 100), (sums.Matched, sums.Differences, (int)sums.Fees, (int)sums.Payouts));
        Assert.Equal((15000, 12677, 350, 250), ((int)sums.CapturedHere, (int)sums.CapturedThere, (int)sums.RefundedHere, (int)sums.RefundedThere));

        // Nothing is compared twice or missed at the edge of a period: what either book touched in it is compared whole.
        var later = await harness.Reconcile.Differences(store, "fake", now.AddSeconds(4), now.AddHours(1), 100, CancellationToken.None);
        Assert.Contains(later, d => d.Part == stranger + "/1");
        Assert.DoesNotContain(later, d => d.Part.StartsWith(good.OrderId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_providers_lines_do_not_reach_yet_is_in_transit()
    {
        var store = "t" + _mark;
        var payment = await Paid(1000, store);
        var now = TimeProvider.System.GetUtcNow();
        async Task<DifferenceKind> Kind() => Assert.Single(await harness.Reconcile.Differences(store, "fake", now.AddHours(-1), now.AddHours(1), 10, CancellationToken.None)).Kind;
        Assert.Equal(DifferenceKind.InTransit, await Kind());
        await harness.Import(Header + Line("fee", "fee", "1.00", "", at: now.AddMinutes(-10)), store);
        Assert.Equal(DifferenceKind.InTransit, await Kind());
        await harness.Import(Header + Line("fee2", "fee", "1.00", "", at: now.AddMinutes(10)), store);
        Assert.Equal(DifferenceKind.MissingThere, await Kind());
        await harness.Import(Header + Line("ch", "charge", "10.00", "", authorization: (await payment.Read()).Parts[0].ProviderReference!), store);
        Assert.Empty(await harness.Reconcile.Differences(store, "fake", now.AddHours(-1), now.AddHours(1), 10, CancellationToken.None));
    }

    [Fact]
    public async Task A_movement_from_outside_is_corrected_once_by_entries_the_other_way_round()
    {
        var payment = await Paid(1000);
        await harness.Import(Header + Line("fee", "fee", "2.00", ""));
        var ledger = new LedgerStore(harness.Database);
        var correct = new CorrectEntry(ledger, harness.Database, new Requests(harness.Database, TimeProvider.System), TimeProvider.System);
        Task<IReadOnlyList<PostedEntry>> Correct(string movement, string requestId, string note = "a mistake")
        {
            var request = new V1.CorrectEntryRequest { Movement = movement, RequestId = requestId, Note = note };
            return correct.Correct(request, new RequestKey("staff/anna", "CorrectEntry", requestId, SHA256.HashData(request.ToByteArray())), CancellationToken.None);
        }

        var movement = $"settlement/fake/fee{_mark}";
        var posted = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Correct(movement, _mark)));
        Assert.All(posted, p => Assert.Equal([-200L, 200L], p.Select(e => e.Amount.Minor)));
        Assert.Equal(("a mistake", "staff/anna", MovementKind.Correction), (posted[0][0].Note, posted[0][0].Actor, posted[0][0].Kind));
        Assert.Equal(ErrorReason.MovementNotCorrectable, (await Assert.ThrowsAsync<Failure>(() => Correct(movement, _mark + "2"))).Reason);
        // A correction that was the mistake is corrected as any other.
        Assert.Equal([200L, -200L], (await Correct("correction/" + movement, _mark + "3")).Select(e => e.Amount.Minor));
        var capture = await Assert.ThrowsAsync<Failure>(() => Correct($"{payment.OrderId}/1/capture/0", _mark + "4"));
        Assert.Equal(ErrorReason.MovementNotCorrectable, capture.Reason);
        Assert.Contains("RefundPayment", capture.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorReason.MovementNotFound, (await Assert.ThrowsAsync<Failure>(() => Correct("nothing", _mark + "5"))).Reason);
        Assert.Equal(ErrorReason.InvalidField, (await Assert.ThrowsAsync<Failure>(() => Correct(movement, _mark + "6", note: " "))).Reason);
    }

    [Fact]
    public async Task A_wrong_fee_is_posted_the_other_way_round_with_what_it_should_have_been_and_nothing_that_others_answer_for()
    {
        await Paid(1000);
        await harness.Import(Header + Line("fee20", "fee", "20.00", ""));
        var ledger = new LedgerStore(harness.Database);
        var correct = new CorrectEntry(ledger, harness.Database, new Requests(harness.Database, TimeProvider.System), TimeProvider.System);
        Task<IReadOnlyList<PostedEntry>> Correct(string requestId, params (string Account, long Minor)[] entries)
        {
            var request = new V1.CorrectEntryRequest
            {
                Movement = $"settlement/fake/fee20{_mark}",
                RequestId = requestId,
                Note = "2.00 and not 20.00",
                Entries = { entries.Select(e => new V1.CorrectedEntry { Account = e.Account, Amount = new Money(e.Minor, "BRL").ToProto() }) },
            };
            return correct.Correct(request, new RequestKey("staff/anna", "CorrectEntry", requestId, SHA256.HashData(request.ToByteArray())), CancellationToken.None);
        }

        async Task Refused(string field, params (string Account, long Minor)[] entries)
        {
            var failure = await Assert.ThrowsAsync<Failure>(() => Correct(_mark + Guid.NewGuid(), entries));
            Assert.Equal((ErrorReason.InvalidField, field), (failure.Reason, failure.Fields[0].Field));
        }

        const string fees = "main/BRL/PROVIDER_FEES/fake", clearing = "main/BRL/PROVIDER_CLEARING/fake";
        await Refused("entries", (fees, 200));
        await Refused("entries", (fees, 200), (clearing, -201));
        await Refused("entries[1].account", (fees, 200), ("main/BRL/SALES", -200));
        await Refused("entries[0].account", ("main/BRL/NOWHERE", 200), (clearing, -200));
        await Refused("entries[0].amount", (fees, 0), (clearing, -200));

        var posted = await Correct(_mark + "fee20", (fees, 200), (clearing, -200));
        Assert.Equal(4, posted.Count);
        Assert.Equal([-2000L, 200L], posted.Where(e => e.Account == fees).Select(e => e.Amount.Minor).Order());
        Assert.Equal(0, posted.Sum(e => e.Amount.Minor));
    }

    [Fact]
    public async Task A_file_that_tells_of_several_stores_is_imported_for_each_of_them()
    {
        var (one, two) = (await Paid(1000, "one" + _mark), await Paid(500, "two" + _mark));
        var header = Header.TrimEnd('\n') + ",account\n";
        string Of(string line, string account) => line.TrimEnd('\n') + $",{account}\n";
        var file = header
            + Of(Line("a", "charge", "10.00", one.OrderId + "/1"), one.Store) + Of(Line("b", "charge", "5.00", two.OrderId + "/1"), two.Store)
            + Of(Line("pa", "payout", "9.00", ""), one.Store) + Of(Line("pb", "payout", "4.00", ""), two.Store);
        foreach (var (payment, payout) in new[] { (one, 900L), (two, 400L) })
        {
            var imported = await harness.Import(file, payment.Store);
            Assert.Equal((2, 0, 2), (imported.Imported, imported.Refused, imported.OfOtherStores));
            var sums = Assert.Single(await new Reconcile(harness.Database).Sums(payment.Store, "fake", DateTimeOffset.UnixEpoch, TimeProvider.System.GetUtcNow().AddDays(1), CancellationToken.None));
            Assert.Equal((payout, 0L), ((long)sums.Payouts, sums.Differences));
        }
    }

    private async Task<DriverHarness.TestPayment> Paid(long minor, string store = "main")
    {
        var payment = await harness.Begin(_provider);
        payment.Store = store;
        await payment.Place(("ok", minor));
        await payment.Settle();
        return payment;
    }

    private string Line(
        string id, string type, string amount, string reference, string fee = "", string tax = "", string currency = "BRL", string authorization = "", DateTimeOffset? at = null) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{id}{_mark},{type},{currency},{amount},{fee},{tax},{reference},{authorization},,{at ?? TimeProvider.System.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'}\n");
}
