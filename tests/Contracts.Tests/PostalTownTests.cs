namespace Commerce.Contracts.Tests;

public sealed class PostalTownTests
{
    [Theory]
    [InlineData("DE", "10115", "Berlin", "", "10115 Berlin")]
    [InlineData("GB", "M1 1AE", "Manchester", "", "Manchester M1 1AE")]
    [InlineData("us", "94103", "San Francisco", "CA", "San Francisco, CA 94103")]
    [InlineData("BR", "01310-100", "São Paulo", "SP", "01310-100 São Paulo, SP")]
    [InlineData("IE", "", "Dublin", "", "Dublin")]
    [InlineData("HK", "", "", "", "")]
    public void The_town_is_written_as_its_post_writes_it(string region, string postal, string locality, string area, string line) =>
        Assert.Equal(line, PostalTown.Line(region, postal, locality, area));
}
