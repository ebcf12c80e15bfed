using Commerce.Cli.Api;
using Commerce.Cli.Eta;
using Commerce.Promising;
using Commerce.Promising.Backtesting;

namespace Commerce.Cli.Tests;

/// <summary>Data of the shape that backtests read, with whatever can be wrong in it.</summary>
public sealed class EtaDataTests : IDisposable
{
    private const string OrderColumns = "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date";

    private readonly string _folder = Directory.CreateTempSubdirectory("commerce-eta-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Rows_that_cannot_be_read_are_counted_and_the_others_are_read()
    {
        Write("olist_orders_dataset.csv",
            OrderColumns,
            "a,c1,delivered,2018-01-01 10:00:00,,2018-01-02 10:00:00,2018-01-05 10:00:00,2018-01-20 00:00:00",
            "a,c1,delivered,2018-01-01 10:00:00,,,2018-01-05 10:00:00,2018-01-20 00:00:00",
            "b,c2,shipped,2018-01-03 10:00:00,,,,2018-01-20 00:00:00",
            "c,c3,delivered,not a time,,,2018-01-05 10:00:00,2018-01-20 00:00:00",
            "d,c4,delivered,2018-01-06 10:00:00,,,2018-01-05 10:00:00,2018-01-20 00:00:00",
            "e,c5",
            "f,c6,delivered,2018-01-07 10:00:00,,2017-01-01 00:00:00,2018-01-15 10:00:00,");
        Write("olist_customers_dataset.csv", "customer_id,customer_zip_code_prefix,customer_state", "c1,01310,SP", ",x,y");
        var problems = new RowProblems();

        var journeys = OlistJourneys.Read(_folder, problems);

        Assert.Equal(["a", "b", "f"], journeys.Select(journey => journey.Consignment.Id));
        Assert.Equal(new Locality("BR", "SP", "01310"), journeys[0].Consignment.To);
        Assert.Null(journeys[1].DeliveredAt);
        Assert.Null(journeys[2].HandedOverAt);
        Assert.Null(journeys[2].Consignment.PromisedAt);
        Assert.Contains(problems.Found, one => one is { File: "olist_orders_dataset.csv", Problem: "the order occurs twice; the first counts", Rows: 1, FirstLine: 3 });
        Assert.Contains(problems.Found, one => one.Problem.StartsWith("the row has fewer columns", StringComparison.Ordinal));
        Assert.Contains(problems.Found, one => one.Problem == "delivered before it was bought");
        Assert.Contains(problems.Found, one => one is { File: "olist_sellers_dataset.csv", Problem: "the file is missing; done without it" });

        // Whatever was left out, the rest can be measured.
        var scored = DeliveryBacktest.Run(journeys, new DeliveryModel(), cancellationToken: TestContext.Current.CancellationToken);
        var figures = OlistFigures.Of(journeys, scored, problems.Found, 1);
        Assert.Equal(2, figures.Delivered);
        Assert.True(double.IsNaN(figures.LateAllOrigins.RocAuc.Value));
    }

    [Fact]
    public void A_folder_without_orders_or_with_an_empty_file_says_what_is_missing()
    {
        Assert.Contains("olist_orders_dataset.csv is missing", Assert.Throws<UsageException>(() => OlistJourneys.Read(_folder, new RowProblems())).Message, StringComparison.Ordinal);
        Write("olist_orders_dataset.csv");
        Assert.Contains("is empty", Assert.Throws<UsageException>(() => OlistJourneys.Read(_folder, new RowProblems())).Message, StringComparison.Ordinal);
        Write("olist_orders_dataset.csv", "order_id,customer_id");
        Assert.Contains("has no column", Assert.Throws<UsageException>(() => OlistJourneys.Read(_folder, new RowProblems())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Orders_of_which_none_was_delivered_give_no_figures_and_no_fault()
    {
        Write("olist_orders_dataset.csv", OrderColumns);
        var journeys = OlistJourneys.Read(_folder, new RowProblems());
        var figures = OlistFigures.Of(journeys, DeliveryBacktest.Run(journeys, new DeliveryModel(), cancellationToken: TestContext.Current.CancellationToken), [], 1);
        Assert.Equal(0, figures.Delivered);
        EtaReport.Write(figures);
    }

    [Fact]
    public void Legs_that_cannot_be_are_counted_and_a_missing_history_is_said()
    {
        Write("legs.csv",
            "trip_uuid,source_center,destination_center,route_type,od_start_time,osrm_time,actual_time,source_pin,dest_pin",
            "t1,A,B,FTL,2018-09-27 00:02:18.970980,41.0,128.0,1,2",
            "t1,A,B,FTL,2018-09-27 01:02:18.970980,41.0,130.0,1,2",
            "t2,A,B,FTL,2018-09-27 00:02:18,-1,128.0,1,2",
            "t3,A,B,FTL,,41,128.0,1,2");
        var problems = new RowProblems();
        var legs = DelhiveryLegs.Legs(_folder, problems);
        var history = DelhiveryLegs.Corridors(_folder, problems);
        Assert.Equal(2, legs.Count);
        Assert.Equal(["no minutes, or such as cannot be", "no time of start", "the file is missing; done without it"], problems.Found.Select(one => one.Problem));
        Assert.Equal(2, LegBacktest.Run(legs, history, cancellationToken: TestContext.Current.CancellationToken).Count);
    }

    private void Write(string file, params string[] lines) => File.WriteAllLines(Path.Combine(_folder, file), lines);
}
