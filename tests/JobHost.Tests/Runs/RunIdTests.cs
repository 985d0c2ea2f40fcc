using JobHost.Runs;
using JobHost.Tests.Support;

namespace JobHost.Tests.Runs;

public sealed class RunIdTests
{
    [Fact]
    public void An_id_survives_its_text_and_its_bytes()
    {
        for (var i = 0; i < 1000; i++)
        {
            var id = RunId.New(TimeProvider.System);
            Assert.True(RunId.TryParse(id.ToString(), out var parsed));
            Assert.Equal(id, parsed);
            Assert.Equal(id, RunId.FromBytes(id.ToBytes()));
            Assert.Equal(7, id.Value.Version);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0196f5d3-7a10-7000-8000-00000000000")]
    [InlineData("0196f5d37a1070008000000000000000")]
    [InlineData("{0196f5d3-7a10-7000-8000-000000000000}")]
    [InlineData(" 0196f5d3-7a10-7000-8000-000000000000")]
    [InlineData("0196f5d3-7a10-7000-8000-00000000000g")]
    [InlineData("../../../../../../../../../etc/passwd")]
    public void What_is_not_in_the_form_of_36_characters_is_no_id(string? text) =>
        Assert.False(RunId.TryParse(text, out _));

    [Fact]
    public void Ids_of_later_milliseconds_sort_after_earlier_ones()
    {
        var time = new TestTime();
        var ids = new List<RunId>();
        for (var i = 0; i < 500; i++)
        {
            ids.Add(RunId.New(time));
            time.Advance(TimeSpan.FromMilliseconds(i % 7 == 0 ? 100_000 : 1));
        }
        var shuffled = ids.ToArray();
        Random.Shared.Shuffle(shuffled);
        Assert.Equal(ids, shuffled.Order());
        Assert.Equal(ids, shuffled.OrderBy(id => id.ToString(), StringComparer.Ordinal));
        Assert.Equal(ids, shuffled.OrderBy(id => Convert.ToHexString(id.ToBytes()), StringComparer.Ordinal));
    }

    [Fact]
    public void Comparisons_agree_with_each_other()
    {
        var time = new TestTime();
        var early = RunId.New(time);
        time.Advance(TimeSpan.FromMilliseconds(1));
        var late = RunId.New(time);
        var same = new RunId(early.Value);
        Assert.True(early < late && late > early && early <= late && late >= early);
        Assert.True(early <= same && early >= same && !(early < same) && !(early > same));
        Assert.Equal(0, early.CompareTo(same));
    }
}
