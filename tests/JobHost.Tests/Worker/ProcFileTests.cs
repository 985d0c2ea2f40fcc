using JobHost.Worker.Native;

namespace JobHost.Tests.Worker;

public sealed class ProcFileTests : IDisposable
{
    private readonly string file = Path.GetTempFileName();

    public void Dispose() => File.Delete(file);

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("1 22 333 ")]
    [InlineData("4194304\n12\n")]
    public void Numbers_are_read_as_they_stand(string text)
    {
        File.WriteAllText(file, text);
        var numbers = new List<int>();
        Assert.True(ProcFile.ReadNumbers(file, numbers));
        Assert.Equal(text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(int.Parse), numbers);
    }

    [Fact]
    public void A_list_is_read_whole_however_long_it_is()
    {
        var many = Enumerable.Range(1_000_000, 5_000).ToList();
        File.WriteAllText(file, string.Join(' ', many));
        var numbers = new List<int>();
        Assert.True(ProcFile.ReadNumbers(file, numbers));
        Assert.Equal(many, numbers);
    }

    [Fact]
    public void What_is_gone_lists_nobody_and_what_cannot_be_read_proves_nothing()
    {
        var numbers = new List<int>();
        Assert.True(ProcFile.ReadNumbers(file + ".gone", numbers));
        // A folder can be opened, and not read.
        Assert.False(ProcFile.ReadNumbers(Path.GetTempPath(), numbers));
        Assert.Empty(numbers);
        Assert.Equal(-1, ProcFile.Read(file + ".gone", new char[8]));
        Assert.Equal(-1, ProcFile.Read(Path.GetTempPath(), new char[8]));
    }

    [Fact]
    public void Of_a_file_that_is_longer_its_beginning_is_read_and_of_bytes_that_are_no_text_something()
    {
        File.WriteAllBytes(file, [(byte)'a', 0xC3, 0xFF, .. "bcdefgh"u8]);
        var text = new char[5];
        var length = ProcFile.Read(file, text);
        Assert.Equal("a\uFFFD\uFFFDbc", new string(text, 0, length));
    }
}
