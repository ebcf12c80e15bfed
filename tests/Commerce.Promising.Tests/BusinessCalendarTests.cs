namespace Commerce.Promising.Tests;

public class BusinessCalendarTests
{
    [Theory]
    [InlineData(2017, 4, 16)]
    [InlineData(2018, 4, 1)]
    [InlineData(2026, 4, 5)]
    [InlineData(2038, 4, 25)]
    public void Easter_falls_on_its_day(int year, int month, int day) => Assert.Equal(new DateOnly(year, month, day), BusinessCalendar.Easter(year));

    [Theory]
    [InlineData("2018-02-13", false)]
    [InlineData("2018-05-31", false)]
    [InlineData("2018-09-07", false)]
    [InlineData("2018-05-30", true)]
    [InlineData("2018-06-02", false)]
    public void Carnival_and_Corpus_Christi_are_no_business_days_in_Brazil(string day, bool open) =>
        Assert.Equal(open, BusinessCalendar.IsBusinessDay(DateOnly.Parse(day, System.Globalization.CultureInfo.InvariantCulture), "BR"));

    [Fact]
    public void Elsewhere_weekends_alone_count() => Assert.True(BusinessCalendar.IsBusinessDay(new DateOnly(2018, 2, 13), "DE"));
}
