using Commerce.Orders.FindingOrders;

namespace Commerce.Orders.Tests;

public class SearchWordsTests
{
    [Theory]
    [InlineData("José da Silva", "jose da silva")]
    [InlineData("JOSÉ  DA-SILVA!", "jose da silva")]
    [InlineData("Jose\u0301", "jose")]
    [InlineData("O'Brien & Søn", "obrien son")]
    [InlineData("Straße Łódź Ægir", "strasse lodz aegir")]
    [InlineData("Ёлка ΆΛΦΑ", "елка αλφα")]
    [InlineData("東京 2-3", "東京 2 3")]
    [InlineData("a b a", "a b")]
    [InlineData("", "")]
    [InlineData("-- ,", "")]
    public void A_text_is_cut_into_words(string text, string words) => Assert.Equal(words, string.Join(' ', SearchWords.Of(text)));

    [Theory]
    [InlineData("sil jos", true)]
    [InlineData("silva", true)]
    [InlineData("silvas", false)]
    [InlineData("ilva", false)]
    public void Each_word_wanted_begins_one_that_is_there(string wanted, bool matches) =>
        Assert.Equal(matches, SearchWords.Matches(SearchWords.Of(wanted), SearchWords.Of("José da Silva")));

    [Fact]
    public void A_word_ends_somewhere() => Assert.Equal(40, Assert.Single(SearchWords.Of(new string('x', 5000))).Length);
}
