using Commerce.Orders.V1;
using Commerce.Types.V1;
using CsCheck;

namespace Commerce.ServiceDefaults.Tests;

public sealed class PageTokenTests
{
    [Fact]
    public void A_token_comes_back_with_any_page_size() => Gen.String.Sample(position =>
    {
        var well = string.Concat(position.Where(c => !char.IsSurrogate(c)));
        var request = new ListOrdersRequest { StoreId = "main", PageSize = 10 };
        request.PageToken = PageToken.Encode(request, well);
        request.PageSize = 20;
        return PageToken.Decode(request) == well;
    });

    [Fact]
    public void The_first_page_has_no_token() => Assert.Null(PageToken.Decode(new ListOrdersRequest()));

    [Fact]
    public void Another_question_refuses_the_token()
    {
        var token = PageToken.Encode(new ListOrdersRequest { StoreId = "main" }, "42");
        Assert.Equal(ErrorReason.PageTokenInvalid, Assert.Throws<Failure>(() => PageToken.Decode(new ListOrdersRequest { StoreId = "other", PageToken = token })).Reason);
        Assert.Throws<Failure>(() => PageToken.Decode(new ListProductsRequest { Parent = "main", PageToken = token }));
    }

    [Fact]
    public void Anything_else_is_refused_and_never_crashes() => Gen.String.Where(s => s.Length > 0).Sample(text =>
        Assert.Equal(ErrorReason.PageTokenInvalid, Assert.Throws<Failure>(() => PageToken.Decode(new ListOrdersRequest { PageToken = text })).Reason));
}
